/** The cluster through kubectl and the administrator's kubeconfig. */
import { type CommandResult, run } from './run-command.js';
import { waitFor } from './wait.js';

export { waitFor } from './wait.js';

/** As much of a Kubernetes object as tests look at. */
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

  /** Runs kubectl; the caller judges the code. */
  async try(args: readonly string[], options: { stdin?: string; seconds?: number } = {}): Promise<CommandResult> {
    return await run(this.program, args, {
      ...options,
      seconds: options.seconds ?? 120,
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
    });
  }

  /** Runs kubectl, throws when it fails, returns its standard output. */
  async do(args: readonly string[], options: { stdin?: string; seconds?: number } = {}): Promise<string> {
    const result = await this.try(args, options);
    if (result.code !== 0) throw new Error(`kubectl ${args.join(' ')} failed: ${result.stderr.trim()}`);
    return result.stdout;
  }

  /** Applies YAML text, one object or several. */
  async apply(manifest: string | object | readonly object[]): Promise<string> {
    const list = (items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const text =
      typeof manifest === 'string' ? manifest : list(Array.isArray(manifest) ? (manifest as object[]) : [manifest]);
    return await this.do(['apply', '-f', '-'], { stdin: text });
  }

  /** The object or list as JSON; undefined when there is none of that name. */
  async getJson<T = Json>(...args: string[]): Promise<T | undefined> {
    const text = await this.do(['get', ...args, '--ignore-not-found', '-o', 'json']);
    return text.trim() === '' ? undefined : (JSON.parse(text) as T);
  }

  /** Waits until the object satisfies the test; the limit's failure tells how the object looked. */
  async waitForObject(args: readonly string[], test: (object: Json) => boolean, seconds = 60): Promise<Json> {
    let last: Json | undefined;
    return await waitFor(
      async () => {
        last = await this.getJson(...args);
        return last !== undefined && test(last) ? last : undefined;
      },
      {
        what: `${args.join(' ')} to be as wanted`,
        seconds,
        everyMs: 250,
        instead: () =>
          last === undefined
            ? 'There is no such object.'
            : `Its status: ${JSON.stringify(last.status)?.slice(0, 3000)}`,
      },
    );
  }
}
