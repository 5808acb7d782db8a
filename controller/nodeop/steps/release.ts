/** Releases the node: deletes the helper Pods and removes the claim, so that another operation can claim the node. */
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
    const ttlSeconds = nodeOp.spec.ttlSecondsAfterFinished;
    if (job !== undefined && ttlSeconds !== undefined && job.spec.ttlSecondsAfterFinished !== ttlSeconds)
      return act({ do: 'expireJob', job, ttlSeconds });
    return act({ do: 'release' });
  },
};
