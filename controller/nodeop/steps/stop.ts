/** Stops the Job of a failed walk before the node is released. */
import { hasEnded, type CachedJob } from '../../cluster/job.js';
import { isReady } from '../../cluster/node.js';
import { isAlive } from '../../cluster/pod.js';
import { act, DONE, type StepResult, wait } from '../facts/facts.js';
import { terminationDeadline } from './pod-termination.js';
import type { Step } from './step.js';

/** Otherwise the Job might run later, on a released node or on another machine that has registered under the same name. */
export const stop: Step = {
  isNeeded: ({ ledger, job, jobPods }) =>
    ledger?.result?.phase === 'Failed' &&
    ledger.job !== undefined &&
    (isUnfinished(job, ledger.job.uid) || jobPods.some(isAlive)),
  evaluate({ job, jobPods, node, ledger, nodeOp, now }): StepResult {
    if (job && isUnfinished(job, ledger?.job?.uid) && job.spec.suspend !== true)
      return act({ do: 'suspendJob', job }, { message: 'stopping the Job' });
    const isReachable = isReady(node) && node?.metadata.uid === ledger?.nodeUid;
    const alive = jobPods.filter(isAlive);
    if (!isReachable || nodeOp.isAbandoned || alive.length === 0) return DONE;
    const until = terminationDeadline(alive);
    return until && now >= until ? DONE : wait('JobRunning', 'waiting for the Pod of the Job to end', until);
  },
};

const isUnfinished = (job: CachedJob | undefined, uid: string | undefined): boolean =>
  job !== undefined && job.metadata.uid === uid && !hasEnded(job);
