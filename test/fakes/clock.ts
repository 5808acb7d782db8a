import type { Clock } from '../../program/clock.js';

/** A clock whose hands the test moves. */
export interface FakeClock extends Clock {
  /** Goes on by `ms`, waking every sleeper at its own moment and letting what it wakes run before the next. */
  advance(ms: number): Promise<void>;
  /** Goes on to the next sleeper's moment and wakes that one alone; false, and no time passes, if nobody wakes by `end` (monotonic). */
  step(end: number): Promise<boolean>;
  /** Calls back once after `ms`, unless the function it returns is called before. */
  callAfter(ms: number, call: () => void): () => void;
  /** Wall time alone jumps. */
  jumpWallClock(ms: number): void;
  /** How many are asleep. */
  sleeperCount(): number;
}

interface Sleeper {
  at: number;
  wake: () => void;
}

/** `turns` of the event loop run after each waking; where nothing but promises is waited for, one is enough. */
export function fakeClock(start = '2026-01-01T00:00:00.000Z', { turns = 5 } = {}): FakeClock {
  let passed = 0;
  let wall = Date.parse(start);
  const asleep = new Set<Sleeper>();
  const letRun = async () => {
    for (let turn = 0; turn < turns; turn += 1) await new Promise(resolve => setImmediate(resolve));
  };
  const to = (at: number) => {
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
    to(next.at);
    asleep.delete(next);
    next.wake();
    await letRun();
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
      await letRun();
      while (await step(end));
      to(end);
    },
  };
}

/** Of those that wake together the first to fall asleep comes first. */
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
