/** How long terminating Pods are waited for. */
import type { CachedPod } from '../../cluster/pod.js';
import { after } from '../../../program/clock.js';

/** The kubelet kills a Pod at the end of its grace period. One that is still there so much later needs more than time. */
const OVERDUE_SECONDS = 300;

/**
 * Undefined while one of the Pods is not terminating yet. `metadata.deletionTimestamp` of a Pod is the end of its grace period.
 */
export function terminationDeadline(pods: readonly CachedPod[]): Date | undefined {
  const ends = pods.flatMap(({ metadata: { deletionTimestamp } }) =>
    deletionTimestamp === undefined ? [] : [Date.parse(deletionTimestamp)],
  );
  return ends.length < pods.length ? undefined : after(new Date(Math.max(...ends)), OVERDUE_SECONDS);
}
