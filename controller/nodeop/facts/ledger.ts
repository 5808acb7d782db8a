/** The entry in NodeAgent.spec.operation: what is written when a node is claimed, and what it was if it got lost. */
import type { Operation } from '../../../api/node-agent.js';
import { type NodeStatus, STEP_NAMES, type StepName } from '../../../api/node-status.js';
import { cordonMarkOf } from '../../cluster/cordon.js';
import { after } from '../../../program/clock.js';
import type { Facts } from './facts.js';
import { objectName } from './manifests.js';
import { isFinal } from '../../cluster/phases.js';
import { operationId, type ParsedNodeOp } from './parsed-nodeop.js';

/** Begun, not ended, and no ledger: somebody took it away. */
export const isLedgerLost = ({ ledger, nodeOp, name }: Facts): boolean => {
  const before = nodeOp.status.nodeStatuses?.[name];
  return ledger === undefined && before?.startedAt !== undefined && !isFinal(before);
};

export function newLedger(facts: Facts, nodeUid: string): Operation {
  const { nodeOp, now, name, kubernetesCeiling } = facts;
  const { namespace, meta, spec } = nodeOp;
  const release = spec.preflight?.release;
  return {
    id: operationId(nodeOp, name),
    nodeOp: { namespace, name: meta.name, uid: meta.uid },
    nodeUid,
    step: 'Claim',
    stepTimes: { Claim: now.toISOString() },
    /* An earlier attempt left it cordoned for inspection: whatever this one finds, it is ours to undo. */
    ...(cordonMarkOf(facts.node) === nodeOp.cordonMark ? { cordoned: true } : {}),
    ...(release ? { check: { release, ...(kubernetesCeiling ? { kubernetesCeiling } : {}) } } : {}),
  };
}

const UNKNOWN_UID = 'unknown';

/**
 * The last report tells how far the walk had got. A Job that it names and that is gone stays deleted: it is never made again.
 * A walk that was ending goes on ending. Which DaemonSets were well is lost with the ledger; the other proofs are not.
 */
export function rebuiltLedger(facts: Facts, nodeUid: string): Operation {
  const { nodeOp, name, job, now } = facts;
  const before = nodeOp.status.nodeStatuses?.[name];
  const stepTimes = { ...newLedger(facts, nodeUid).stepTimes, ...timesIn(before, facts) };
  const known = before?.jobName ?? (before?.jobUid === undefined ? undefined : objectName(nodeOp, name, 'job'));
  const jobName = job?.metadata.name ?? known;
  const { ending: phase } = before ?? {};
  const result = phase && { phase, reason: before?.reason, message: before?.message ?? '', at: now.toISOString() };
  return {
    ...newLedger(facts, before?.nodeUid ?? nodeUid),
    step: furthest(Object.keys(stepTimes)),
    stepTimes,
    ...(stepTimes.Cordon ? { cordoned: true } : {}),
    ...(stepTimes.ControlPlane ? { controlPlane: true } : {}),
    ...(before?.bootIdBefore ? { bootIdBefore: before.bootIdBefore } : {}),
    ...(jobName ? { job: { name: jobName, uid: before?.jobUid ?? job?.metadata.uid ?? UNKNOWN_UID } } : {}),
    ...(jobName ? askedReboot(nodeOp, jobName, stepTimes) : {}),
    ...(result ? { result } : {}),
  };
}

/** Of very many nodes at once the report keeps the step alone; the time of the others counts anew. */
function timesIn(before: NodeStatus | undefined, { nodeOp, now }: Facts): Record<string, string> {
  const { step, stepTimes } = before ?? {};
  if (stepTimes !== undefined || step === undefined) return stepTimes ?? {};
  const at = now.toISOString();
  const begun: StepName[] = [step];
  if (before?.jobUid !== undefined) begun.push('Run');
  if (step === 'Verify' && nodeOp.spec.rebootOnSuccess) begun.push('Reboot');
  return Object.fromEntries(begun.map(each => [each, at]));
}

function askedReboot(nodeOp: ParsedNodeOp, jobName: string, stepTimes: Record<string, string>): Partial<Operation> {
  if (stepTimes.Withdraw !== undefined) return { rebootWithdrawn: true };
  if (stepTimes.Reboot === undefined) return {};
  return {
    reboot: { jobName, notAfter: after(new Date(stepTimes.Reboot), nodeOp.spec.rebootTimeoutSeconds).toISOString() },
  };
}

const furthest = (steps: readonly string[]): StepName => STEP_NAMES.findLast(step => steps.includes(step)) ?? 'Claim';
