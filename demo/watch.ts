/** `kubectl get --watch` as a stream of objects. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Json } from '../test/cluster/kubectl.js';

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: Json;
}

export interface Watched {
  /** Path of the kubectl program. */
  program: string;
  kubeconfig: string;
  /** What to get: kind, namespace, selector. */
  args: readonly string[];
}

/** Tells every object that is there, then every change, until the signal ends it. Starts again when the stream ends by itself. */
export async function watch(what: Watched, tell: (change: Change) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await oneStream(what, tell, signal);
    if (!signal.aborted) await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
  }
}

/** So that an API server that refuses is not asked in a tight circle. */
const PAUSE_MS = 500;

async function oneStream(what: Watched, tell: (change: Change) => void, signal: AbortSignal): Promise<void> {
  const args = ['get', ...what.args, '--watch', '--output-watch-events', '-o', 'json'];
  const child = spawn(what.program, args, {
    env: { ...process.env, KUBECONFIG: what.kubeconfig },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>(resolve => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const documents = new Documents();
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const text = documents.add(line);
      if (text !== undefined) tell(JSON.parse(text) as Change);
    }
  } finally {
    kill();
    signal.removeEventListener('abort', kill);
    await ended;
  }
}

/** Cuts indented JSON documents that follow one another into single ones: each ends with a brace at the begin of a line. */
export class Documents {
  #lines: string[] = [];

  /** The document that this line completes. */
  add(line: string): string | undefined {
    this.#lines.push(line);
    if (line !== '}') return undefined;
    const text = this.#lines.join('\n');
    this.#lines = [];
    return text;
  }
}
