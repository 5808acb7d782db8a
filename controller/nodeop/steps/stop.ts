/** Stops the Job of a failed walk before the node is released. */
import { after } from '../../../program/clock.js';
import { hasEnded, type CachedJob } from '../../cluster/job.js';
import { isTerminating } from '../../cluster/metadata.js';
import { isReady } from '../../cluster/node.js';
import { isAlive, type CachedPod } from '../../cluster/pod.js';
import { act, DONE, type Facts, stepStartedAt, type StepResult, wait } from '../facts/facts.js';
import { terminationDeadline } from './pod-termination.js';
import { endRefused } from './refused-act.js';
import type { Step } from './step.js';

/** The Job controller deletes the Pods of a suspended Job at once, if it runs. */
const JOB_CONTROLLER_SECONDS = 60;

/** Stands in the ledger for a Job that could not be stopped. */
const GIVEN_UP = 'StopGivenUp';

/** Otherwise the Job might run later, on a released node or on another machine that has registered under the same name. */
export const stop: Step = {
  isNeeded: ({ ledger, job, jobPods }) =>
    ledger?.result?.phase === 'Failed' &&
    ledger.job !== undefined &&
    ledger.stepTimes[GIVEN_UP] === undefined &&
    (isUnfinished(job, ledger.job.uid) || jobPods.some(isAlive)),
  evaluate(facts): StepResult {
    const { job, jobPods, node, ledger, nodeOp } = facts;
    if (job && isUnfinished(job, ledger?.job?.uid) && job.spec.suspend !== true)
      return (
        endRefused(facts, 'stopping the Job', words => giveUp(facts, `its Job could not be stopped: ${words}`)) ??
        act({ do: 'suspendJob', job }, { message: 'stopping the Job' })
      );
    const isReachable = isReady(node) && node?.metadata.uid === ledger?.nodeUid;
    const alive = jobPods.filter(isAlive);
    if (!isReachable || nodeOp.isAbandoned || alive.length === 0) return DONE;
    return awaitEnd(facts, alive);
  },
};

const isUnfinished = (job: CachedJob | undefined, uid: string | undefined): boolean =>
  job !== undefined && job.metadata.uid === uid && !hasEnded(job);

/** Pods that nothing deletes would be waited for indefinitely. */
function awaitEnd(facts: Facts, alive: readonly CachedPod[]): StepResult {
  const { now } = facts;
  const message = 'waiting for the Pod of the Job to end';
  const pods = alive.filter(pod => !isTerminating(pod));
  if (pods.length === 0) {
    const until = terminationDeadline(alive);
    return until && now >= until ? DONE : wait('JobRunning', message, until);
  }
  const until = after(stepStartedAt(facts, 'Stop'), JOB_CONTROLLER_SECONDS);
  if (now < until) return wait('JobRunning', message, until);
  return (
    endRefused(facts, 'deleting the Pod of the Job', words =>
      giveUp(facts, `its Pod could not be deleted: ${words}`),
    ) ??
    act({ do: 'deletePods', pods }, { message: 'the Job controller does not delete the Pod of the Job; deleting it' })
  );
}

/** The next operation on this node waits for the Pod before it runs its own command. */
function giveUp({ ledger, now }: Facts, words: string): StepResult {
  if (ledger?.result === undefined) return DONE;
  const { result, stepTimes } = ledger;
  const change = {
    stepTimes: { ...stepTimes, [GIVEN_UP]: now.toISOString() },
    result: { ...result, message: `${result.message}; ${words}` },
  };
  return act({ do: 'record', change });
}
