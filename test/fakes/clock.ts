import type { Clock } from '../../program/clock.js';

/** A clock that only the test advances. */
export interface FakeClock extends Clock {
  /** Advances by `ms`: every sleeper wakes at its own time, and what it resumes runs before the next one wakes. */
  advance(ms: number): Promise<void>;
  /** Advances to the next sleeper and wakes only that one; false, without advancing, when none wakes by `end` (monotonic). */
  step(end: number): Promise<boolean>;
  /** Calls back once after `ms`; the returned function cancels it. */
  callAfter(ms: number, call: () => void): () => void;
  /** Changes the wall clock only, as a time correction does; the monotonic clock stays. */
  jumpWallClock(ms: number): void;
  /** The number of pending sleeps. */
  sleeperCount(): number;
}

interface Sleeper {
  at: number;
  wake: () => void;
}

/** After each wake-up the event loop runs `turns` times; one is enough where only promises are awaited. */
export function fakeClock(start = '2026-01-01T00:00:00.000Z', { turns = 5 } = {}): FakeClock {
  let passed = 0;
  let wall = Date.parse(start);
  const asleep = new Set<Sleeper>();
  const runEventLoop = async () => {
    for (let turn = 0; turn < turns; turn += 1) await new Promise(resolve => setImmediate(resolve));
  };
  const moveTo = (at: number) => {
    wall += at - passed;
    passed = at;
  };
  const callAfter = (ms: number, call: () => void) => {
    const sleeper: Sleeper = { at: passed + Math.max(ms, 0), wake: call };
    asleep.add(sleeper);
    return () => void asleep.delete(sleeper);
  };
  const step = async (end: number) => {
    const next = earliest(asleep);
    if (!next || next.at > end) return false;
    moveTo(next.at);
    asleep.delete(next);
    next.wake();
    await runEventLoop();
    return true;
  };
  return {
    now: () => new Date(wall),
    monotonic: () => passed,
    sleep: (ms, signal) => sleep(callAfter, ms, signal),
    callAfter,
    step,
    jumpWallClock: ms => void (wall += ms),
    sleeperCount: () => asleep.size,
    advance: async ms => {
      const end = passed + ms;
      await runEventLoop();
      while (await step(end));
      moveTo(end);
    },
  };
}

/** Sleepers with the same wake-up time wake in the order in which they fell asleep. */
function earliest(asleep: Iterable<Sleeper>): Sleeper | undefined {
  let next: Sleeper | undefined;
  for (const one of asleep) if (!next || one.at < next.at) next = one;
  return next;
}

function sleep(callAfter: FakeClock['callAfter'], ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise<void>(resolve => {
    if (signal?.aborted) return resolve();
    const wake = () => {
      cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = callAfter(ms, wake);
    signal?.addEventListener('abort', wake);
  });
}
