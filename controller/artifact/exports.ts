/** How far the exporters are. */
import type { ObjectMeta } from '../../api/objects.js';
import type { SeenJob } from '../seen.js';
import type { Build } from './build.js';
import { namesFor } from './object-names.js';

export interface Exports {
  /** Numbers of exporters that have no Job yet. */
  missing: readonly number[];
  /** How many are not done. */
  open: number;
  /** Why one failed. */
  failed?: string;
}

const condition = (job: SeenJob | undefined, type: string) =>
  job?.status?.conditions?.find(each => each.type === type && each.status === 'True');

export function exportsSeen(meta: ObjectMeta, { exporters }: Build, jobs: ReadonlyMap<number, SeenJob>): Exports {
  const names = namesFor(meta.name);
  const numbers = exporters.map((_, index) => index);
  const failures = numbers.flatMap(index => {
    const failed = condition(jobs.get(index), 'Failed');
    if (!failed) return [];
    const words = failed.message ?? failed.reason;
    return [`export job ${names.exporter(index)} failed${words ? `: ${words}` : ''}`];
  });
  return {
    missing: numbers.filter(index => !jobs.has(index)),
    open: numbers.filter(index => !condition(jobs.get(index), 'Complete')).length,
    failed: failures[0],
  };
}
