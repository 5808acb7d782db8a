import type { Clock } from '../../program/clock.js';

/** A clock whose hands the test moves. */
export interface FakeClock extends Clock {
  /** Goes on by `ms`, waking every sleeper at its own moment and letting what it wakes run before the next. */
  advance(ms: number): Promise<void>;
  /** Wall time alone jumps. */
  jump(ms: number): void;
  /** How many are asleep. */
  sleepers(): number;
}

const letRun = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(resolve => setImmediate(resolve));
};

export function fakeClock(start = '2026-01-01T00:00:00.000Z'): FakeClock {
  let passed = 0;
  let wall = Date.parse(start);
  const asleep = new Set<{ at: number; wake: () => void }>();
  const to = (at: number) => {
    wall += at - passed;
    passed = at;
  };
  const sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>(resolve => {
      if (signal?.aborted) return resolve();
      const sleeper = {
        at: passed + Math.max(ms, 0),
        wake: () => {
          asleep.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      asleep.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake);
    });
  return {
    now: () => new Date(wall),
    monotonic: () => passed,
    sleep,
    jump: ms => void (wall += ms),
    sleepers: () => asleep.size,
    advance: async ms => {
      const end = passed + ms;
      await letRun();
      for (;;) {
        const [next] = [...asleep].filter(one => one.at <= end).toSorted((a, b) => a.at - b.at);
        if (!next) break;
        to(next.at);
        next.wake();
        await letRun();
      }
      to(end);
    },
  };
}
