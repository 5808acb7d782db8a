/** Many days on clusters with several control planes, each of which its seed names. */
import { runSchedule } from './control-planes-run.js';
import { scheduleOf } from './control-planes-schedule.js';
import { everyNth } from './sampling.js';

/** Days that one test goes through. */
const IN_ONE_TEST = 25;

/** A slow machine is no reason to fail. */
export const TIMEOUT_MS = 300_000;

export interface SeedRange {
  from: number;
  to: number;
}

/** In handfuls, so that a failure is told before all are done. */
export function seedRanges({ from, to }: SeedRange): SeedRange[] {
  const count = Math.ceil((to - from + 1) / IN_ONE_TEST);
  const firsts = Array.from({ length: count }, (_, index) => from + index * IN_ONE_TEST);
  return everyNth(10, firsts).map(first => ({ from: first, to: Math.min(first + IN_ONE_TEST - 1, to) }));
}

/** The first bad day, with all that is needed to see it again: its seed, what happened on it, what went wrong. */
export async function firstViolation({ from, to }: SeedRange): Promise<object | undefined> {
  for (let seed = from; seed <= to; seed += 1) {
    const schedule = scheduleOf(seed);
    const wrong = await runSchedule(schedule);
    if (wrong.length > 0) return { wrong: wrong.slice(0, 12), ...schedule };
  }
  return undefined;
}
