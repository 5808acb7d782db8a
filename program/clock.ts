/** Time as a dependency, so that tests control it. */
export interface Clock {
  /** Wall time, for timestamps that other machines read. It may jump. */
  now(): Date;
  /** Milliseconds that never decrease, for measuring durations. */
  monotonic(): number;
  /** Resolves after `ms`, or at once and without an error when the signal aborts; callers check the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node fires a timer with a longer delay at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const sleep = (ms: number, signal?: AbortSignal) =>
  new Promise<void>(resolve => {
    if (signal?.aborted) return resolve();
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.min(ms, MAX_TIMER_MS));
    signal?.addEventListener('abort', wake);
  });

export const realClock: Clock = { now: () => new Date(), monotonic: () => performance.now(), sleep };

/** The moment `seconds` after `time`. */
export const after = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000);
