/** The ledger of a walk, NodeAgent.spec.operation: how it starts, and how a lost one is rebuilt from the status. */
import type { Operation } from '../../../api/node-agent.js';
import { type NodeStatus, STEP_NAMES, type StepName } from '../../../api/node-status.js';
import { cordonMarkOf } from '../../cluster/cordon.js';
import { after } from '../../../program/clock.js';
import type { Facts } from './facts.js';
import { objectName } from './manifests.js';
import { isFinal } from '../../cluster/phases.js';
import { operationId, type ParsedNodeOp } from './parsed-nodeop.js';
import { ownValue } from '../../../program/own-value.js';

/** Started and not finished, but without a ledger: `spec.operation` was removed from outside. */
export const isLedgerLost = ({ ledger, nodeOp, name }: Facts): boolean => {
  const entry = ownValue(nodeOp.status.nodeStatuses, name);
  return ledger === undefined && entry?.startedAt !== undefined && !isFinal(entry);
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
    /* An earlier attempt may have left its cordon for inspection; this attempt has to undo it in any case. */
    ...(cordonMarkOf(facts.node) === nodeOp.cordonMark ? { cordoned: true } : {}),
    ...(release ? { check: { release, ...(kubernetesCeiling ? { kubernetesCeiling } : {}) } } : {}),
  };
}

const UNKNOWN_UID = 'unknown';

/**
 * The status shows how far the walk had come. A Job that it names is recorded even if it is deleted, so that it is never created
 * again. A walk that was ending continues to end. Only the list of Ready DaemonSets is lost with the ledger.
 */
export function rebuiltLedger(facts: Facts, nodeUid: string): Operation {
  const { nodeOp, name, job, now } = facts;
  const entry = ownValue(nodeOp.status.nodeStatuses, name);
  const stepTimes = { ...newLedger(facts, nodeUid).stepTimes, ...recordedStepTimes(entry, facts) };
  const recordedName = entry?.jobName ?? (entry?.jobUid === undefined ? undefined : objectName(nodeOp, name, 'job'));
  const jobName = job?.metadata.name ?? recordedName;
  const { ending: phase } = entry ?? {};
  /* Its boot is lost with the ledger, but a command that has succeeded must not be resumed. */
  const success = stepTimes.Succeeded === undefined ? {} : { succeededIn: '' };
  const result = phase && { phase, reason: entry?.reason, message: entry?.message ?? '', at: now.toISOString() };
  return {
    ...newLedger(facts, entry?.nodeUid ?? nodeUid),
    step: furthest(Object.keys(stepTimes)),
    stepTimes,
    ...(stepTimes.Cordon ? { cordoned: true } : {}),
    ...(stepTimes.ControlPlane ? { controlPlane: true } : {}),
    ...(entry?.bootIdBefore ? { bootIdBefore: entry.bootIdBefore } : {}),
    ...(entry?.systemUUID ? { systemUUID: entry.systemUUID } : {}),
    ...(jobName ? { job: { name: jobName, uid: entry?.jobUid ?? job?.metadata.uid ?? UNKNOWN_UID, ...success } } : {}),
    ...(jobName ? rebootRequest(nodeOp, jobName, stepTimes) : {}),
    ...(result ? { result } : {}),
  };
}

/** With very many active nodes the status keeps the current step only; the times of the others are set to now, so that their timeouts start again. */
function recordedStepTimes(entry: NodeStatus | undefined, { nodeOp, now }: Facts): Record<string, string> {
  const { step, stepTimes } = entry ?? {};
  if (stepTimes !== undefined || step === undefined) return stepTimes ?? {};
  const at = now.toISOString();
  const started: StepName[] = [step];
  if (entry?.jobUid !== undefined) started.push('Run');
  if (step === 'Verify' && nodeOp.spec.rebootOnSuccess) started.push('Reboot');
  return Object.fromEntries(started.map(each => [each, at]));
}

function rebootRequest(nodeOp: ParsedNodeOp, jobName: string, stepTimes: Record<string, string>): Partial<Operation> {
  if (stepTimes.Withdraw !== undefined) return { rebootWithdrawn: true };
  if (stepTimes.Reboot === undefined) return {};
  const timeoutSeconds = nodeOp.spec.rebootTimeoutSeconds;
  const notAfter = after(new Date(stepTimes.Reboot), timeoutSeconds).toISOString();
  return { reboot: { jobName, notAfter, timeoutSeconds } };
}

const furthest = (steps: readonly string[]): StepName => STEP_NAMES.findLast(step => steps.includes(step)) ?? 'Claim';
