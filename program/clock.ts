/** Time as everything here asks for it, so that a test can hold the hands of the clock. */
export interface Clock {
  /** Wall time: for what other machines read. May jump. */
  now(): Date;
  /** Milliseconds that only ever grow: for measuring how long something took. */
  monotonic(): number;
  /** Resolves after `ms`, or at once and without an error when the signal aborts; callers look at the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const sleep = (ms: number, signal?: AbortSignal) =>
  new Promise<void>(resolve => {
    if (signal?.aborted) return resolve();
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.min(ms, LONGEST_TIMER_MS));
    signal?.addEventListener('abort', wake);
  });

/** The machine's own clock. */
export const realClock: Clock = { now: () => new Date(), monotonic: () => performance.now(), sleep };

/** The moment `seconds` after `time`. */
export const after = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000);
