/** Random schedules on clusters with several control planes, one for each seed. */
import { runSchedule } from './control-planes-run.js';
import { scheduleOf } from './control-planes-schedule.js';
import { everyNth } from './sampling.js';

/** Seeds in one test. */
const SEEDS_PER_TEST = 25;

/** Generous, so that a slow machine does not fail the test. */
export const TIMEOUT_MS = 300_000;

export interface SeedRange {
  from: number;
  to: number;
}

/** Ranges of few seeds, so that a failure is reported before all seeds have run. */
export function seedRanges({ from, to }: SeedRange): SeedRange[] {
  const count = Math.ceil((to - from + 1) / SEEDS_PER_TEST);
  const firsts = Array.from({ length: count }, (_, index) => from + index * SEEDS_PER_TEST);
  return everyNth(10, firsts).map(first => ({ from: first, to: Math.min(first + SEEDS_PER_TEST - 1, to) }));
}

/** The first schedule that violates an invariant, with its seed, its events and the violations, so that it can be reproduced. */
export async function firstViolation({ from, to }: SeedRange): Promise<object | undefined> {
  for (let seed = from; seed <= to; seed += 1) {
    const schedule = scheduleOf(seed);
    const violations = await runSchedule(schedule);
    if (violations.length > 0) return { violations: violations.slice(0, 12), ...schedule };
  }
  return undefined;
}
