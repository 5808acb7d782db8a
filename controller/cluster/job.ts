/** Jobs as the controller's caches keep them: only the fields that the controller reads. */
import { ANNOTATIONS } from '../../api/names.js';
import type { Stored } from '../../kube/kube.js';
import { KEPT_ANNOTATIONS } from './kept-annotations.js';
import { pruneMetadata } from './metadata.js';

export interface CachedJob extends Stored {
  spec: { suspend?: boolean; ttlSecondsAfterFinished?: number };
  status?: {
    active?: number;
    failed?: number;
    /** Pods that have ended and are not in `failed` yet. */
    uncountedTerminatedPods?: { failed?: readonly string[] };
    /** By the clock of the kube-controller-manager, as the times of the conditions are. */
    startTime?: string;
    conditions?: readonly {
      type: string;
      status: string;
      reason?: string;
      message?: string;
      lastTransitionTime?: string;
    }[];
  };
}

export const pruneJob = (job: CachedJob): CachedJob => ({
  metadata: pruneMetadata(job.metadata, KEPT_ANNOTATIONS),
  spec: { suspend: job.spec.suspend, ttlSecondsAfterFinished: job.spec.ttlSecondsAfterFinished },
  status: job.status,
});

export const conditionOf = (job: CachedJob, type: string) =>
  job.status?.conditions?.find(condition => condition.type === type && condition.status === 'True');

export const hasEnded = (job: CachedJob): boolean =>
  conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined;

/**
 * How often the Job was resumed. The operator counts it on the Job, in the change that resumes it: other fields of a suspended Job may be
 * edited by users and by policies, so that `metadata.generation` proves nothing. A Job of an earlier release has no count; there, the
 * generation is all that is known: created suspended is 1, resumed 2, suspended again 3.
 */
export function resumesOf(job: CachedJob): number {
  const { annotations, generation = 1 } = job.metadata;
  const counted = annotations?.[ANNOTATIONS.resumes];
  const count = counted === undefined ? Math.floor(generation / 2) : Number.parseInt(counted, 10) || 0;
  return Math.max(count, hasBegun(job) ? 1 : 0);
}

/** Something else may have resumed it. */
function hasBegun(job: CachedJob): boolean {
  const { startTime, active = 0, failed = 0 } = job.status ?? {};
  return job.spec.suspend !== true || startTime !== undefined || active + failed > 0 || hasEnded(job);
}
