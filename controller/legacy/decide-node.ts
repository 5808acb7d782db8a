/**
 * One node of an operation that an earlier operator had begun. What must come out: a reboot that is wanted happens once, whoever calls it.
 *
 *     reboot Pod waits ──▶ Job marked with the boot ──▶ Pod deleted, if still waiting ──▶ gone ──▶ our agent reboots, if the boot is the same
 *     reboot Pod says "completed" ──▶ it has called the reboot, or will within seconds: only watched ──▶ a boot after the Job, or a failure
 */
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOp } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import { isFinal } from '../cluster/phases.js';
import { bootIdOf, isReady } from '../cluster/node.js';
import { hasEnded, type CachedJob } from '../cluster/job.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import {
  completedAt,
  isBootConfirmed,
  hasRebootedSince,
  isAdopted,
  UNKNOWN_EARLIER_BOOT,
} from '../cluster/adopted-job.js';
import type { NodeFacts, Verdict } from './facts.js';
import { REBOOT_STATE } from './names.js';
import { ADOPTED_IN_BOOT } from '../cluster/adopted-job.js';

/** Agents are rolled out together with us: their images may have to be pulled. */
const AGENT_MS = 5 * 60_000;

export const isCalled = (pod: CachedPod): boolean => pod.metadata.annotations?.[REBOOT_STATE] === 'completed';
/** It may reboot its node any time. */
export const isWaiting = (pod: CachedPod): boolean =>
  isAlive(pod) && !isCalled(pod) && pod.metadata.deletionTimestamp === undefined;
const isLeaving = (pod: CachedPod): boolean => isAlive(pod) && pod.metadata.deletionTimestamp !== undefined;

const wait = (message: string): Verdict => ({ is: 'wait', message });

/** The earlier operator has said its last word about the node. */
function isOver(entry: NodeStatus | undefined, reboots: boolean): boolean {
  if (entry?.phase === 'Failed') return true;
  return entry?.phase === 'Completed' && !(reboots && entry.rebootStatus === 'pending');
}

/** And about the operation: it says `Failed` of the whole with the first node that failed, and goes on with the others. */
export const isFinishedForLegacy = ({ spec, status }: NodeOp): boolean =>
  isFinal(status) && Object.values(status?.nodeStatuses ?? {}).every(entry => isOver(entry, spec.rebootOnSuccess));

export function decideNode(facts: NodeFacts): Verdict {
  const { entry, node, job, agent, nodeOp } = facts;
  const ledger = agent?.spec.operation;
  if (ledger?.nodeOp.uid === nodeOp.meta.uid) return removal(facts) ?? { is: 'ours', ledger };
  if (entry !== undefined && isOver(entry, nodeOp.spec.rebootOnSuccess))
    return removal(facts) ?? { is: 'ended', entry };
  if (node === undefined && (job ?? entry?.jobName) !== undefined)
    return ended(facts, 'NodeRemoved', `node ${facts.name} was removed while it was worked on`);
  if (job === undefined) return removal(facts) ?? withoutJob(facts);
  if (job.metadata.annotations?.[ADOPTED_IN_BOOT] === undefined || isStale(facts, job)) return adopt(facts, job);
  return removal(facts) ?? others(facts, job) ?? withJob(facts, job);
}

/** Pods that could reboot the node, or look at it beside us, are gone before anything else is said. */
function removal({ rebootPods, preflightPods, node }: NodeFacts): Verdict | undefined {
  const helper = preflightPods.find(pod => isAlive(pod) && pod.metadata.deletionTimestamp === undefined);
  const pod = rebootPods.find(isWaiting) ?? helper;
  if (pod) return { is: 'act', action: { do: 'deletePod', pod } };
  const leaving = rebootPods.find(isLeaving);
  /* A machine that does not answer is not waited for: the Pod may reboot the boot that runs, as our agent will, and no later one. */
  return leaving === undefined || !isReady(node) ? undefined : wait(`waiting for Pod ${leaving.metadata.name} to end`);
}

function withoutJob(facts: NodeFacts): Verdict {
  const { entry } = facts;
  const begun = entry?.jobName !== undefined || entry?.phase === 'Running' || entry?.phase === 'Completed';
  if (!begun) return { is: 'fresh' };
  const name = entry.jobName === undefined ? 'its Job' : `Job ${entry.jobName}`;
  return ended(facts, 'JobDeleted', `${name}, which an earlier operator had made, is gone`);
}

/** It may have made one more and died before it said so. Its end is heard of once it is ours; a machine that does not answer is not waited for. */
function others(facts: NodeFacts, job: CachedJob): Verdict | undefined {
  const open = facts.jobs.filter(each => each.metadata.uid !== job.metadata.uid && !hasEnded(each));
  const strange = open.find(each => !isAdopted(each));
  if (strange) return adopt(facts, strange);
  return open[0] && isReady(facts.node) ? wait(`waiting for Job ${open[0].metadata.name} to end`) : undefined;
}

/** Surely no reboot was called in this boot: the one who would call it still waits, or has nothing to wait for. */
function sureBoot({ nodeOp, node, rebootPods }: NodeFacts, job: CachedJob): string {
  const waits = rebootPods.some(isWaiting);
  const tooEarly = !isComplete(job) && !rebootPods.some(isCalled);
  return waits || tooEarly || !nodeOp.spec.rebootOnSuccess ? (bootIdOf(node) ?? '') : '';
}

/** The node was rebooted by somebody else meanwhile, and the Pod waits still. */
const isStale = (facts: NodeFacts, job: CachedJob): boolean =>
  facts.rebootPods.some(isWaiting) && job.metadata.annotations?.[ADOPTED_IN_BOOT] !== sureBoot(facts, job);

const adopt = (facts: NodeFacts, job: CachedJob): Verdict => ({
  is: 'act',
  action: { do: 'adoptJob', job, node: facts.name, boot: sureBoot(facts, job) },
});

function withJob(facts: NodeFacts, job: CachedJob): Verdict {
  const { rebootPods, nodeOp, node } = facts;
  const sure = job.metadata.annotations?.[ADOPTED_IN_BOOT] ?? '';
  const boot = bootIdOf(node);
  const called = rebootPods.some(pod => isCalled(pod) && pod.metadata.deletionTimestamp === undefined);
  if (!nodeOp.spec.rebootOnSuccess || hasFailed(job)) return { is: 'takeUp', job, bootIdBefore: sure || boot };
  if (hasRebootedSince(facts, job, sure))
    return rebooted(facts, job, sure !== '' && sure !== boot ? sure : UNKNOWN_EARLIER_BOOT);
  if (!called && sure !== '') return { is: 'takeUp', job, bootIdBefore: sure };
  if (sure !== '' && boot !== undefined && boot !== sure) return rebooted(facts, job, sure);
  return whoKnows(facts, job, called);
}

/** The reboot may have happened. The agent knows when the machine was started; the Job, when it had ended. */
function whoKnows(facts: NodeFacts, job: CachedJob, called: boolean): Verdict {
  const { agent, node, now, since, nodeOp } = facts;
  const spoken = isBootConfirmed({ node, agent });
  const jobEnd = completedAt(job);
  const patience = since.getTime() + AGENT_MS;
  const coming = (jobEnd ?? since).getTime() + nodeOp.spec.rebootTimeoutSeconds * 1000;
  if (!spoken && now.getTime() < Math.max(patience, coming)) return wait('waiting for the agent to say when it booted');
  if (called && now.getTime() < Math.max(patience, coming)) return wait('waiting for the reboot that was called');
  return called
    ? ended(
        facts,
        'NotRebooted',
        'an earlier operator called the reboot, and the node has not started anew since its Job',
      )
    : ended(
        facts,
        'Interrupted',
        'whether an earlier operator had called the reboot cannot be told; it was not called again',
      );
}

/** The Pod that called it has served. Our agent is asked, too: it sees another boot than before, and leaves the machine up. */
function rebooted({ rebootPods }: NodeFacts, job: CachedJob, bootIdBefore: string): Verdict {
  const pod = rebootPods.find(each => isAlive(each) && each.metadata.deletionTimestamp === undefined);
  return pod ? { is: 'act', action: { do: 'deletePod', pod } } : { is: 'takeUp', job, bootIdBefore };
}

function ended({ entry, now, nodeOp }: NodeFacts, reason: Reason, message: string): Verdict {
  const at = now.toISOString();
  const told: NodeStatus = { ...entry, phase: 'Failed', reason, message, completedAt: at, lastUpdated: at };
  return {
    is: 'ended',
    entry: { ...told, attempt: 1, rebootStatus: nodeOp.spec.rebootOnSuccess ? 'cancelled' : 'not-requested' },
  };
}

const condition = (job: CachedJob, type: string) =>
  job.status?.conditions?.find(each => each.type === type && each.status === 'True');
export const isComplete = (job: CachedJob): boolean => condition(job, 'Complete') !== undefined;
const hasFailed = (job: CachedJob): boolean => condition(job, 'Failed') !== undefined;
