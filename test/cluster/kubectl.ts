/** Access to a cluster through kubectl with the administrator's kubeconfig. */
import { type CommandResult, run } from './run-command.js';
import { waitFor } from './wait.js';

export { waitFor } from './wait.js';

/** The fields of a Kubernetes object that tests read. */
export interface Json {
  metadata?: {
    name?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  items?: Json[];
  [field: string]: unknown;
}

export class Kubectl {
  constructor(
    private readonly program: string,
    readonly kubeconfig: string,
  ) {}

  /** Runs kubectl and returns the result, whatever the exit code. */
  async try(args: readonly string[], options: { stdin?: string; seconds?: number } = {}): Promise<CommandResult> {
    return await run(this.program, args, {
      ...options,
      seconds: options.seconds ?? 120,
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
    });
  }

  /** Runs kubectl and returns its standard output. Throws an error if it fails. */
  async do(args: readonly string[], options: { stdin?: string; seconds?: number } = {}): Promise<string> {
    const result = await this.try(args, options);
    if (result.code !== 0) throw new Error(`kubectl ${args.join(' ')} failed: ${result.stderr.trim()}`);
    return result.stdout;
  }

  /** Applies YAML text or one or several objects. */
  async apply(manifest: string | object | readonly object[]): Promise<string> {
    const asList = (items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const text =
      typeof manifest === 'string' ? manifest : asList(Array.isArray(manifest) ? (manifest as object[]) : [manifest]);
    return await this.do(['apply', '-f', '-'], { stdin: text });
  }

  /** The object or list as JSON; undefined if there is no such object. */
  async getJson<T = Json>(...args: string[]): Promise<T | undefined> {
    const text = await this.do(['get', ...args, '--ignore-not-found', '-o', 'json']);
    return text.trim() === '' ? undefined : (JSON.parse(text) as T);
  }

  /** Waits until the object satisfies the condition. The timeout error contains the status of the object. */
  async waitForObject(args: readonly string[], isWanted: (object: Json) => boolean, seconds = 60): Promise<Json> {
    let last: Json | undefined;
    return await waitFor(
      async () => {
        last = await this.getJson(...args);
        return last !== undefined && isWanted(last) ? last : undefined;
      },
      {
        what: `${args.join(' ')} to satisfy the condition`,
        seconds,
        everyMs: 250,
        diagnose: () =>
          last === undefined
            ? 'The object does not exist.'
            : `Its status: ${JSON.stringify(last.status)?.slice(0, 3000)}`,
      },
    );
  }
}
