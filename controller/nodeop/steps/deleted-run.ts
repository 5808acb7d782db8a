/** Ends the command of a deleted operation that does not reboot. */
import { after } from '../../../program/clock.js';
import { ownValue } from '../../../program/own-value.js';
import { isTerminating } from '../../cluster/metadata.js';
import { isAlive } from '../../cluster/pod.js';
import { act, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { podName } from './drainable-pods.js';
import { awaitRunningNode } from './node-readiness.js';
import { terminationDeadline } from './pod-termination.js';
import { endRefused } from './refused-act.js';

/** The garbage collector deletes the Pods of a deleted Job at once, if it runs. */
const GARBAGE_COLLECTOR_SECONDS = 60;

const WAITING = 'waiting for the Pod of the Job to end';

/** Deletes the Job; its Pod terminates with its grace period. */
export function endDeletedRun(facts: Facts): StepResult {
  const { job, jobPods, ledger, now } = facts;
  const own = job?.metadata.uid === ledger?.job?.uid ? job : undefined;
  if (own && !isTerminating(own))
    return (
      endRefused(facts, 'deleting the Job', words => deleted(`; its Job could not be deleted: ${words}`)) ??
      act({ do: 'deleteJob', job: own }, { message: 'ending the Job' })
    );
  const alive = jobPods.filter(isAlive);
  const pods = alive.filter(pod => !isTerminating(pod));
  const collected = after(waitingSince(facts), GARBAGE_COLLECTOR_SECONDS);
  if (pods.length > 0 && now >= collected)
    return (
      endRefused(facts, 'deleting the Pod of the Job', words => deleted(`; its Pod could not be deleted: ${words}`)) ??
      act({ do: 'deletePods', pods }, { message: 'ending the Job' })
    );
  const until = terminationDeadline(alive);
  if (alive.length > 0 && !(until && now >= until))
    return awaitRunningNode(facts) ?? wait('JobRunning', WAITING, until ?? collected);
  return deleted(alive.map(pod => `; Pod ${podName(pod)} does not terminate`).join(''));
}

/** The status has the time since which it reports this wait. */
function waitingSince({ nodeOp, name, now }: Facts): Date {
  const { message, lastUpdated } = ownValue(nodeOp.status.nodeStatuses, name) ?? {};
  return message?.startsWith(WAITING) && lastUpdated !== undefined ? new Date(lastUpdated) : now;
}

const deleted = (note: string): StepResult => fail('Deleted', `the operation was deleted while its Job ran${note}`);
