/** Pods that were told to end and do not: how long they are waited for. */
import type { CachedPod } from '../../cluster/pod.js';
import { after } from '../../../program/clock.js';

/** The kubelet kills what outlives its grace; what is still there so much later does not end by waiting. */
const LATE_SECONDS = 300;

/** `metadata.deletionTimestamp` is when the grace of a Pod is over. Undefined while one of them was not told yet. */
export function terminationDeadline(pods: readonly CachedPod[]): Date | undefined {
  const ends = pods.flatMap(({ metadata: { deletionTimestamp } }) =>
    deletionTimestamp === undefined ? [] : [Date.parse(deletionTimestamp)],
  );
  return ends.length < pods.length ? undefined : after(new Date(Math.max(...ends)), LATE_SECONDS);
}
