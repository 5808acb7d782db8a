/** The loop of every controller: takes keys from a work queue and reconciles them. Retries happen only here. */
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { isConflict } from './errors.js';
import { WorkQueue } from './work-queue.js';

/**
 * How a reconcile ended. A thrown error means: retry with backoff. `failed` reports an error of a part of the work: retry with backoff,
 * but no later than after `afterMs` milliseconds, when the rest is due.
 */
export type Outcome =
  | { then: 'settled' }
  | { then: 'requeue'; afterMs: number }
  | { then: 'giveUp'; why: string }
  | { then: 'failed'; error: unknown; afterMs: number };

type Ended = Exclude<Outcome['then'], 'failed'> | 'conflict' | 'error';

export interface ReconcilerOptions {
  name: string;
  reconcile: (key: string) => Promise<Outcome>;
  /** Of several, one is left to other namespaces: those of one namespace together occupy at most one fewer. */
  workers?: number;
  log: Log;
  clock: Clock;
  random?: () => number;
  /** Called after each run, for metrics. */
  onRun?: (run: { key: string; ended: Ended; ms: number; waiting: number }) => void;
}

export interface Reconciler {
  /** Queues a key, now or after `afterMs` milliseconds. May be called before `run`. */
  enqueue(key: string, afterMs?: number): void;
  /** Reconciles until the signal aborts and the running reconciles have ended. */
  run(signal: AbortSignal): Promise<void>;
  /** Number of queued keys. */
  waiting(): number;
}

/** Delay after a write conflict: by then the cache has usually received the other write. */
const AFTER_CONFLICT_MS = 100;

/** Async, so that a synchronous throw becomes a rejection. */
const reconcileKey = async ({ reconcile }: ReconcilerOptions, key: string): Promise<Outcome> => reconcile(key);

/** Creates a reconcile loop with its own work queue; nothing runs before `run`. */
export function reconciler(options: ReconcilerOptions): Reconciler {
  const { name, clock, workers = 1, onRun } = options;
  const log = options.log.child({ reconcile: name });
  /* One worker is always left for other namespaces: the calls of one may take long, for example in an admission webhook. */
  const queue = new WorkQueue({ clock, random: options.random, maxPerNamespace: Math.max(1, workers - 1) });

  const settle = (key: string, outcome: Outcome): Ended => {
    if (outcome.then === 'failed') return retry(key, outcome.error, outcome.afterMs);
    queue.succeeded(key);
    if (outcome.then === 'requeue') queue.add(key, Math.max(outcome.afterMs, 0));
    if (outcome.then === 'giveUp') log.error({ object: key, why: outcome.why }, 'reconcile gave up');
    return outcome.then;
  };

  const retry = (key: string, error: unknown, latestMs = Infinity): Ended => {
    const pause = Math.min(queue.failed(key), Math.max(latestMs, 0));
    if (isConflict(error)) {
      log.debug({ object: key, err: error }, 'write conflict, requeueing');
      /* A conflict that persists is a bug: then the backoff applies, reduced by its first two seconds. */
      queue.add(key, Math.max(AFTER_CONFLICT_MS, pause - 2_000));
      return 'conflict';
    }
    log.error({ object: key, err: error, retryAfterMs: pause }, 'reconcile failed, retrying');
    queue.add(key, pause);
    return 'error';
  };

  const work = async (key: string) => {
    const start = clock.monotonic();
    const ended = await reconcileKey(options, key).then(
      outcome => settle(key, outcome),
      (error: unknown) => retry(key, error),
    );
    queue.done(key);
    onRun?.({ key, ended, ms: clock.monotonic() - start, waiting: queue.size });
  };

  const worker = async () => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) await work(key);
  };

  return {
    enqueue: (key, afterMs = 0) => queue.add(key, afterMs),
    waiting: () => queue.size,
    run: async signal => {
      const close = () => queue.close();
      if (signal.aborted) close();
      signal.addEventListener('abort', close, { once: true });
      await Promise.all(Array.from({ length: workers }, worker));
    },
  };
}
