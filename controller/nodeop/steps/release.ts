/** Releases the node: deletes the helper Pods and removes the claim, so that another operation can claim the node. */
import { after } from '../../../program/clock.js';
import { hasEnded, type CachedJob } from '../../cluster/job.js';
import { act, DONE, type Facts, type StepResult, wait } from '../facts/facts.js';
import type { Step } from './step.js';

export const release: Step = {
  isNeeded: () => true,
  /** The ledger holds the only copy of the result, so that it is kept until the status has it. */
  evaluate(facts): StepResult {
    const { ledger, preflightPod, pullPod, isReported, job, nodeOp } = facts;
    if (ledger === undefined) return DONE;
    const helpers = [preflightPod, pullPod].filter(pod => pod !== undefined);
    const pods = helpers.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const mayCleanUp = !isCleanupRefused(facts);
    if (pods.length > 0 && mayCleanUp) return act({ do: 'deletePods', pods });
    if (!isReported) return wait('Progressing', ledger.result?.message ?? '');
    const expire = mayCleanUp ? expiry(job, nodeOp.spec.ttlSecondsAfterFinished) : undefined;
    return expire ?? act({ do: 'release' });
  },
};

/** What a policy does not let go is left to the garbage collector, which finds it when the operation is deleted. It holds no node. */
const isCleanupRefused = ({ ledger, nodeOp, now, writeRefusal }: Facts): boolean =>
  writeRefusal !== undefined && now >= after(new Date(ledger?.result?.at ?? now), nodeOp.spec.startDeadlineSeconds);

/** The time to live of a Job counts from its end. One that was stopped never ends; its Pods are gone already, so that nothing is lost with it. */
function expiry(job: CachedJob | undefined, ttlSeconds: number | undefined): StepResult | undefined {
  if (job === undefined || ttlSeconds === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
  if (!hasEnded(job) && job.spec.suspend === true) return act({ do: 'deleteJob', job });
  return job.spec.ttlSecondsAfterFinished === ttlSeconds ? undefined : act({ do: 'expireJob', job, ttlSeconds });
}
