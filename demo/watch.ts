/** `kubectl get --watch` as a stream of objects. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Json } from '../test/cluster/kubectl.js';

const TYPES = ['ADDED', 'MODIFIED', 'DELETED'] as const;

export interface Change {
  type: (typeof TYPES)[number];
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
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const change = changeIn(line);
      if (change !== undefined) tell(change);
    }
  } finally {
    kill();
    signal.removeEventListener('abort', kill);
    await ended;
  }
}

/** One line of kubectl's output. A stream that was cut may end in the middle of one; that says nothing, and neither does a word about the stream itself. */
export function changeIn(line: string): Change | undefined {
  try {
    const change = JSON.parse(line) as { type: string; object: Json };
    const type = TYPES.find(known => known === change.type);
    return type === undefined ? undefined : { type, object: change.object };
  } catch {
    return undefined;
  }
}
