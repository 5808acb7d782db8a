/** Runs `kubectl get --watch` and parses its output into watch events. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Json } from '../test/cluster/kubectl.js';

const TYPES = ['ADDED', 'MODIFIED', 'DELETED'] as const;

export interface Change {
  type: (typeof TYPES)[number];
  object: Json;
}

export interface WatchTarget {
  /** Path of the kubectl program. */
  kubectl: string;
  kubeconfig: string;
  /** Arguments of `kubectl get`: kind, namespace, selector. */
  args: readonly string[];
}

/** Reports every existing object, then every change, until the signal aborts. Restarts the watch when its stream ends. */
export async function watch(
  target: WatchTarget,
  onChange: (change: Change) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await readStream(target, onChange, signal);
    if (!signal.aborted) await new Promise(resolve => setTimeout(resolve, RESTART_DELAY_MS));
  }
}

/** Keeps a watch that fails at once, for example while the API server restarts, from being retried in a tight loop. */
const RESTART_DELAY_MS = 500;

async function readStream(target: WatchTarget, onChange: (change: Change) => void, signal: AbortSignal): Promise<void> {
  const args = ['get', ...target.args, '--watch', '--output-watch-events', '-o', 'json'];
  const child = spawn(target.kubectl, args, {
    env: { ...process.env, KUBECONFIG: target.kubeconfig },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const closed = new Promise<void>(resolve => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const change = parseChange(line);
      if (change !== undefined) onChange(change);
    }
  } finally {
    kill();
    signal.removeEventListener('abort', kill);
    await closed;
  }
}

/** Parses one line of kubectl's output. Returns undefined for an incomplete line, which a broken stream may end with, and for events about the stream itself. */
export function parseChange(line: string): Change | undefined {
  try {
    const change = JSON.parse(line) as { type: string; object: Json };
    const type = TYPES.find(known => known === change.type);
    return type === undefined ? undefined : { type, object: change.object };
  } catch {
    return undefined;
  }
}
