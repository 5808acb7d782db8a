/**
 * Decides about one node of an operation that the legacy operator had started. A requested reboot must happen exactly once, whichever operator
 * triggers it:
 *
 *     reboot Pod waits ──▶ Job annotated with the boot id ──▶ Pod deleted if it still waits ──▶ Pod absent ──▶ our agent reboots if the boot is unchanged
 *     reboot Pod is annotated "completed" ──▶ the reboot has been or is about to be triggered: only observed ──▶ a boot after the Job, or a failure
 */
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOp } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import {
  completedAt,
  isAdopted,
  isBootConfirmed,
  hasRebootedSince,
  UNKNOWN_EARLIER_BOOT,
  ADOPTED_AT,
  ADOPTED_IN_BOOT,
} from '../cluster/adopted-job.js';
import { hasEnded, type CachedJob } from '../cluster/job.js';
import { bootIdOf, isReady } from '../cluster/node.js';
import { isFinal } from '../cluster/phases.js';
import { isAlive } from '../cluster/pod.js';
import type { NodeFacts, Verdict } from './facts.js';
import { hasTriggeredReboot, isBeingDeleted, isWaitingToReboot } from './reboot-pod.js';
import { isTerminating } from '../cluster/metadata.js';

/** Agents are rolled out together with the controller, and their images may have to be pulled first. */
const AGENT_START_MS = 5 * 60_000;

const wait = (message: string): Verdict => ({ is: 'wait', message });

/** The legacy operator does nothing more on the node. */
function isNodeFinished(entry: NodeStatus | undefined, reboots: boolean): boolean {
  if (entry?.phase === 'Failed') return true;
  return entry?.phase === 'Completed' && !(reboots && entry.rebootStatus === 'pending');
}

/** The phase alone does not tell: the legacy operator sets `Failed` with the first node that failed and continues with the others. */
export const isFinishedForLegacy = ({ spec, status }: NodeOp): boolean =>
  isFinal(status) &&
  Object.values(status?.nodeStatuses ?? {}).every(entry => isNodeFinished(entry, spec.rebootOnSuccess));

export function decideNode(facts: NodeFacts): Verdict {
  const { entry, node, job, agent, nodeOp } = facts;
  const ledger = agent?.spec.operation;
  if (ledger?.nodeOp.uid === nodeOp.meta.uid) return removeHelperPods(facts) ?? { is: 'claimed', ledger };
  if (entry !== undefined && isNodeFinished(entry, nodeOp.spec.rebootOnSuccess))
    return removeHelperPods(facts) ?? { is: 'finished', entry };
  if (node === undefined && (job ?? entry?.jobName) !== undefined)
    return fail(facts, 'NodeRemoved', `node ${facts.name} was removed while it was worked on`);
  if (job === undefined) return removeHelperPods(facts) ?? decideWithoutJob(facts);
  if (!isAdopted(job) || isAdoptionOutdated(facts, job)) return adopt(facts, job);
  return removeHelperPods(facts) ?? waitForOtherJobs(facts, job) ?? decideWithJob(facts, job);
}

/** Pods that could reboot or inspect the node at the same time as this operator are removed before anything else is decided. */
function removeHelperPods({ rebootPods, preflightPods, node, now }: NodeFacts): Verdict | undefined {
  const preflightPod = preflightPods.find(pod => isAlive(pod) && !isTerminating(pod));
  const pod = rebootPods.find(isWaitingToReboot) ?? preflightPod;
  if (pod) return { is: 'act', action: { do: 'deletePod', pod } };
  const terminating = rebootPods.find(each => isBeingDeleted(each, now));
  /* A node that is not Ready is not waited for: the Pod can reboot only the boot that runs now, which our agent would reboot as well. */
  return terminating === undefined || !isReady(node)
    ? undefined
    : wait(`waiting for Pod ${terminating.metadata.name} to finish`);
}

function decideWithoutJob(facts: NodeFacts): Verdict {
  const { entry } = facts;
  const hasStarted = entry?.jobName !== undefined || entry?.phase === 'Running' || entry?.phase === 'Completed';
  if (!hasStarted) return { is: 'notStarted' };
  const name = entry.jobName === undefined ? 'the Job' : `Job ${entry.jobName}`;
  return fail(facts, 'JobDeleted', `${name} that the Go operator had created was deleted`);
}

/**
 * The legacy operator may have created a second Job and died before it recorded it. Once adopted, the informer reports its end. A node that is
 * not Ready is not waited for.
 */
function waitForOtherJobs(facts: NodeFacts, job: CachedJob): Verdict | undefined {
  const running = facts.jobs.filter(each => each.metadata.uid !== job.metadata.uid && !hasEnded(each));
  const notAdopted = running.find(each => !isAdopted(each));
  if (notAdopted) return adopt(facts, notAdopted);
  return running[0] && isReady(facts.node) ? wait(`waiting for Job ${running[0].metadata.name} to finish`) : undefined;
}

/** The current boot id if no reboot can have been triggered in this boot: the Pod that would do it still waits, or has nothing to wait for. */
function bootWithoutReboot({ nodeOp, node, rebootPods }: NodeFacts, job: CachedJob): string {
  const isPodWaiting = rebootPods.some(isWaitingToReboot);
  const isBeforeReboot = !isComplete(job) && !rebootPods.some(hasTriggeredReboot);
  return isPodWaiting || isBeforeReboot || !nodeOp.spec.rebootOnSuccess ? (bootIdOf(node) ?? '') : '';
}

/** The node was rebooted by someone else since the adoption, while the reboot Pod still waits. */
const isAdoptionOutdated = (facts: NodeFacts, job: CachedJob): boolean =>
  facts.rebootPods.some(isWaitingToReboot) &&
  job.metadata.annotations?.[ADOPTED_IN_BOOT] !== bootWithoutReboot(facts, job);

const adopt = (facts: NodeFacts, job: CachedJob): Verdict => ({
  is: 'act',
  action: {
    do: 'adoptJob',
    job,
    node: facts.name,
    boot: bootWithoutReboot(facts, job),
    at: facts.now.toISOString(),
  },
});

function decideWithJob(facts: NodeFacts, job: CachedJob): Verdict {
  const { rebootPods, nodeOp, node } = facts;
  const adoptedIn = job.metadata.annotations?.[ADOPTED_IN_BOOT] ?? '';
  const boot = bootIdOf(node);
  const isTriggered = rebootPods.some(pod => hasTriggeredReboot(pod) && !isTerminating(pod));
  if (!nodeOp.spec.rebootOnSuccess || hasFailed(job)) return { is: 'continue', job, bootIdBefore: adoptedIn || boot };
  if (hasRebootedSince(facts, job, adoptedIn))
    return continueRebooted(facts, job, adoptedIn !== '' && adoptedIn !== boot ? adoptedIn : UNKNOWN_EARLIER_BOOT);
  if (!isTriggered && adoptedIn !== '') return { is: 'continue', job, bootIdBefore: adoptedIn };
  if (adoptedIn !== '' && boot !== undefined && boot !== adoptedIn) return continueRebooted(facts, job, adoptedIn);
  return decideUncertainReboot(facts, job, isTriggered);
}

/** The reboot may have happened. The agent reports when the machine booted, the Job when it completed. Both deadlines survive a change of leader. */
function decideUncertainReboot(facts: NodeFacts, job: CachedJob, isTriggered: boolean): Verdict {
  const { agent, node, now, leadingSince, nodeOp } = facts;
  const adoptedAt = Date.parse(job.metadata.annotations?.[ADOPTED_AT] ?? leadingSince.toISOString());
  const agentDeadline = adoptedAt + AGENT_START_MS;
  const rebootDeadline = (completedAt(job, now)?.getTime() ?? adoptedAt) + nodeOp.spec.rebootTimeoutSeconds * 1000;
  const isInTime = now.getTime() < Math.max(agentDeadline, rebootDeadline);
  if (!isBootConfirmed({ node, agent }) && isInTime)
    return wait('waiting for the agent to report when the node booted');
  if (isTriggered && isInTime) return wait('waiting for the reboot that the Go operator triggered');
  return isTriggered
    ? fail(
        facts,
        'NotRebooted',
        'the Go operator triggered the reboot, but the node has not booted since its Job completed',
      )
    : fail(
        facts,
        'Interrupted',
        'it is unknown whether the Go operator had triggered the reboot; it was not triggered again',
      );
}

/** The reboot Pod is not needed any more. The agent is still asked to reboot: it sees another boot id than before and leaves the machine up. */
function continueRebooted({ rebootPods }: NodeFacts, job: CachedJob, bootIdBefore: string): Verdict {
  const pod = rebootPods.find(each => isAlive(each) && !isTerminating(each));
  return pod ? { is: 'act', action: { do: 'deletePod', pod } } : { is: 'continue', job, bootIdBefore };
}

function fail({ entry, now, nodeOp }: NodeFacts, reason: Reason, message: string): Verdict {
  const at = now.toISOString();
  const rebootStatus = nodeOp.spec.rebootOnSuccess ? 'cancelled' : 'not-requested';
  return {
    is: 'finished',
    entry: { ...entry, phase: 'Failed', reason, message, completedAt: at, lastUpdated: at, attempt: 1, rebootStatus },
  };
}

const hasCondition = (job: CachedJob, type: string): boolean =>
  job.status?.conditions?.some(each => each.type === type && each.status === 'True') ?? false;
const isComplete = (job: CachedJob): boolean => hasCondition(job, 'Complete');
const hasFailed = (job: CachedJob): boolean => hasCondition(job, 'Failed');
