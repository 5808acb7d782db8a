/** Jobs as the controller's caches keep them: only the fields that the controller reads. */
import type { Stored } from '../../kube/kube.js';
import { isOwnKey, pruneMetadata } from './metadata.js';

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
  metadata: pruneMetadata(job.metadata, isOwnKey),
  spec: { suspend: job.spec.suspend, ttlSecondsAfterFinished: job.spec.ttlSecondsAfterFinished },
  status: job.status,
});

export const conditionOf = (job: CachedJob, type: string) =>
  job.status?.conditions?.find(condition => condition.type === type && condition.status === 'True');

export const hasEnded = (job: CachedJob): boolean =>
  conditionOf(job, 'Complete') !== undefined || conditionOf(job, 'Failed') !== undefined;
