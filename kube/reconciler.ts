/** The loop of every controller: a key comes in, its reconcile says how it ended. The only place that retries. */
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { isConflict } from './errors.js';
import { WorkQueue } from './work-queue.js';

/** Anything thrown means: again, after a while that grows. `failed` means the same for a part of it: the rest wants a look after `afterMs` at the latest. */
export type Outcome =
  | { then: 'settled' }
  | { then: 'requeue'; afterMs: number }
  | { then: 'giveUp'; why: string }
  | { then: 'failed'; error: unknown; afterMs: number };

type Ended = Exclude<Outcome['then'], 'failed'> | 'conflict' | 'error';

export interface ReconcilerOptions {
  name: string;
  reconcile: (key: string) => Promise<Outcome>;
  workers?: number;
  log: Log;
  clock: Clock;
  random?: () => number;
  /** For metrics: after each run, how it ended and how long it took. */
  onRun?: (run: { key: string; ended: Ended; ms: number; waiting: number }) => void;
}

export interface Reconciler {
  /** Wishes for a run of this key, now or after a while. Also before `run`. */
  enqueue(key: string, afterMs?: number): void;
  /** Works until the signal aborts and the runs under way have ended. */
  run(signal: AbortSignal): Promise<void>;
  /** Keys that wait. */
  waiting(): number;
}

/** Somebody else wrote first; by now our cache has very likely seen it. */
const AFTER_CONFLICT_MS = 100;

/** What is thrown before the first await, too, becomes a rejection. */
const ending = async ({ reconcile }: ReconcilerOptions, key: string): Promise<Outcome> => reconcile(key);

export function reconciler(options: ReconcilerOptions): Reconciler {
  const { name, clock, workers = 1, onRun } = options;
  const log = options.log.child({ reconcile: name });
  const queue = new WorkQueue({ clock, random: options.random });

  const settle = (key: string, outcome: Outcome): Ended => {
    if (outcome.then === 'failed') return retry(key, outcome.error, outcome.afterMs);
    queue.succeeded(key);
    if (outcome.then === 'requeue') queue.add(key, Math.max(outcome.afterMs, 0));
    if (outcome.then === 'giveUp') log.error({ object: key, why: outcome.why }, 'gave up');
    return outcome.then;
  };

  const retry = (key: string, error: unknown, latestMs = Infinity): Ended => {
    const pause = Math.min(queue.failed(key), Math.max(latestMs, 0));
    if (isConflict(error)) {
      log.debug({ object: key, err: error }, 'somebody wrote in between, looking again');
      /* A lasting conflict is a mistake of ours: from the third on it waits like any other. */
      queue.add(key, Math.max(AFTER_CONFLICT_MS, pause - 2_000));
      return 'conflict';
    }
    log.error({ object: key, err: error, againInMs: pause }, 'failed, trying again');
    queue.add(key, pause);
    return 'error';
  };

  const work = async (key: string) => {
    const begun = clock.monotonic();
    const ended = await ending(options, key).then(
      outcome => settle(key, outcome),
      (error: unknown) => retry(key, error),
    );
    queue.done(key);
    onRun?.({ key, ended, ms: clock.monotonic() - begun, waiting: queue.size });
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
