/** Releases the node: deletes the helper Pods and removes the claim, so that another operation can claim the node. */
import { hasEnded, type CachedJob } from '../../cluster/job.js';
import { act, DONE, type StepResult, wait } from '../facts/facts.js';
import type { Step } from './step.js';

export const release: Step = {
  isNeeded: () => true,
  /** The ledger holds the only copy of the result, so that it is kept until the status has it. */
  evaluate({ ledger, preflightPod, pullPod, isReported, job, nodeOp }): StepResult {
    if (ledger === undefined) return DONE;
    const helpers = [preflightPod, pullPod].filter(pod => pod !== undefined);
    const pods = helpers.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (pods.length > 0) return act({ do: 'deletePods', pods });
    if (!isReported) return wait('Progressing', ledger.result?.message ?? '');
    return expiry(job, nodeOp.spec.ttlSecondsAfterFinished) ?? act({ do: 'release' });
  },
};

/** The time to live of a Job counts from its end. One that was stopped never ends; its Pods are gone already, so that nothing is lost with it. */
function expiry(job: CachedJob | undefined, ttlSeconds: number | undefined): StepResult | undefined {
  if (job === undefined || ttlSeconds === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
  if (!hasEnded(job) && job.spec.suspend === true) return act({ do: 'deleteJob', job });
  return job.spec.ttlSecondsAfterFinished === ttlSeconds ? undefined : act({ do: 'expireJob', job, ttlSeconds });
}
