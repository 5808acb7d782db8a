/** Releases the node: removes helper Pods and the ledger, so that another operation can claim it. */
import { act, DONE, type StepResult, wait } from '../facts/facts.js';
import type { Step } from './step.js';

export const release: Step = {
  isNeeded: () => true,
  evaluate({ ledger, preflightPod, pullPod, isReported, job, nodeOp }): StepResult {
    if (ledger === undefined) return DONE;
    const helpers = [preflightPod, pullPod].filter(
      pod => pod !== undefined && pod.metadata.deletionTimestamp === undefined,
    );
    if (helpers.length > 0) return act({ do: 'deletePods', pods: helpers.filter(pod => pod !== undefined) });
    if (!isReported) return wait('Progressing', ledger.result?.message ?? '');
    const ttlSeconds = nodeOp.spec.ttlSecondsAfterFinished;
    if (job !== undefined && ttlSeconds !== undefined && job.spec.ttlSecondsAfterFinished !== ttlSeconds)
      return act({ do: 'expireJob', job, ttlSeconds });
    return act({ do: 'release' });
  },
};
