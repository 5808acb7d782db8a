/** Stops the Job of a walk that has failed, before the node is given back. */
import { hasEnded, type CachedJob } from '../../cluster/job.js';
import { isReady } from '../../cluster/node.js';
import { isAlive } from '../../cluster/pod.js';
import { act, DONE, type StepResult, wait } from '../facts/facts.js';
import { terminationDeadline } from './pod-termination.js';
import type { Step } from './step.js';

/** A Job that was given up on must not run later, on a node that is free again or another machine of this name. */
export const stop: Step = {
  isNeeded: ({ ledger, job, jobPods }) =>
    ledger?.result?.phase === 'Failed' &&
    ledger.job !== undefined &&
    (isOpen(job, ledger.job.uid) || jobPods.some(isAlive)),
  evaluate({ job, jobPods, node, ledger, nodeOp, now }): StepResult {
    if (job && isOpen(job, ledger?.job?.uid) && job.spec.suspend !== true)
      return act({ do: 'suspendJob', job }, { message: 'stopping the Job' });
    const answers = isReady(node) && node?.metadata.uid === ledger?.nodeUid;
    const alive = jobPods.filter(isAlive);
    if (!answers || nodeOp.isAbandoned || alive.length === 0) return DONE;
    const until = terminationDeadline(alive);
    return until && now >= until ? DONE : wait('JobRunning', 'waiting for the Pod of the Job to end', until);
  },
};

const isOpen = (job: CachedJob | undefined, uid: string | undefined): boolean =>
  job !== undefined && job.metadata.uid === uid && !hasEnded(job);
