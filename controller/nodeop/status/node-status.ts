/** The status entry of one node. */
import type { NodeStatus } from '../../../api/node-status.js';
import { isSameJson } from '../../../kube/merge-patch.js';
import { isFinal } from '../../cluster/phases.js';
import type { Facts } from '../facts/facts.js';
import { isLedgerLost } from '../facts/ledger.js';
import { attemptOn } from '../facts/parsed-nodeop.js';
import type { Walk } from '../steps/walk.js';
import { isOverdue } from '../facts/unconfirmed-withdrawal.js';
import { type Detail, truncated } from './truncate.js';
import { waitTimeout, hasWaitDeadline } from './wait-deadlines.js';

export type RolloutState = 'pending' | 'active' | 'completed' | 'failed';

export interface NodeStatusInput {
  facts: Facts;
  walk: Walk;
  /** The entry in the present status. */
  before: NodeStatus | undefined;
  /** Why a node that has not started waits. */
  waiting?: { reason: NonNullable<NodeStatus['reason']>; message: string; unready?: string };
}

/**
 * A pending node is untouched, an active one occupies a slot. The slot is free as soon as everything on the node is undone, even if the
 * result is not in the status yet. A node whose ledger was lost is still active.
 */
export function rolloutStateOf({
  facts,
  walk,
  before,
}: Pick<NodeStatusInput, 'facts' | 'walk' | 'before'>): RolloutState {
  if (before?.phase === 'Completed') return 'completed';
  if (before?.phase === 'Failed') return 'failed';
  const result = facts.ledger?.result;
  if (result && walk.step === 'Release') return result.phase === 'Failed' ? 'failed' : 'completed';
  if (isGivenUp({ facts, walk })) return 'failed';
  return facts.ledger || isLedgerLost(facts) ? 'active' : 'pending';
}

/** The node failed, and its agent has not confirmed in time that it will not reboot: others go on, but the claim stays. */
const isGivenUp = ({ facts: { ledger, node, now }, walk: { step, result } }: Pick<NodeStatusInput, 'facts' | 'walk'>) =>
  step === 'Withdraw' && result.is === 'wait' && isOverdue(ledger, node, now);

/** Added to the message of a node whose claim outlives its result. */
const STAYS_CLAIMED =
  'the node stays claimed until its agent confirms that it will not reboot, or the Node is deleted; a retry waits for that';

/** A final entry is kept as it is, and so is any entry that differs only in `lastUpdated`. */
export function nodeStatus(input: NodeStatusInput, detail: Detail = 'full'): NodeStatus {
  const { facts, before } = input;
  if (before && isFinal(before)) return before;
  const full = fullEntry(input);
  const entry = detail === 'full' ? full : truncated(full, detail);
  if (before && isSameJson({ ...before, lastUpdated: undefined }, { ...entry, lastUpdated: undefined })) return before;
  return isUndated(entry, detail)
    ? entry
    : { ...entry, lastUpdated: waitingSince(entry, before) ?? facts.now.toISOString() };
}

function fullEntry(input: NodeStatusInput): NodeStatus {
  const { facts, before } = input;
  if (facts.ledger) return claimed(input);
  return before && isLedgerLost(facts) ? withLostLedger(input, before) : untouched(input);
}

/** With very many nodes there is no room for the time of entries that nothing is computed from. */
function isUndated(entry: NodeStatus, detail: Detail): boolean {
  if (detail !== 'short' && detail !== 'least') return false;
  return isFinal(entry) || (detail === 'least' && entry.startedAt !== undefined && !entry.stepTimes);
}

/** Without a ledger, the entry is the only record of the walk: nothing of it is dropped. */
function withLostLedger({ facts: { node, now }, walk: { result } }: NodeStatusInput, before: NodeStatus): NodeStatus {
  if (node !== undefined) return { ...before, message: 'the claim was removed from outside; claiming the node again' };
  if (result.is === 'wait') return { ...before, reason: result.reason, message: result.message };
  if (result.is !== 'end') return before;
  const { phase, reason, message } = result;
  return { ...before, phase, reason, message, completedAt: now.toISOString() };
}

/** While a wait has a deadline, `lastUpdated` stays at the start of the wait, even if the message changes. */
function waitingSince(entry: NodeStatus, before: NodeStatus | undefined): string | undefined {
  const isSameWait = entry.reason === before?.reason && entry.step === before?.step && !isFinal(entry);
  return isSameWait && hasWaitDeadline(entry.reason) ? before?.lastUpdated : undefined;
}

function untouched({ facts, walk: { result }, before, waiting }: NodeStatusInput): NodeStatus {
  const { nodeOp, name, now } = facts;
  const attempt = attemptOn(nodeOp, name);
  const timeout = waitTimeout(facts, { before, waiting });
  const rebootStatus = nodeOp.spec.rebootOnSuccess ? ('cancelled' as const) : ('not-requested' as const);
  if (timeout) return { phase: 'Failed', ...timeout, attempt, rebootStatus, completedAt: now.toISOString() };
  const wait = waiting ?? (result.is === 'wait' ? result : undefined);
  return {
    phase: 'Pending',
    reason: wait?.reason,
    message: wait?.message,
    attempt,
    rebootStatus: rebootStatusOf(facts),
  };
}

function claimed({ facts, walk }: NodeStatusInput): NodeStatus {
  const { step, result } = walk;
  const { ledger, nodeOp, name, writeRefusal } = facts;
  const common: Omit<NodeStatus, 'phase'> = {
    jobName: ledger?.job?.name,
    attempt: attemptOn(nodeOp, name),
    startedAt: ledger?.stepTimes.Claim,
    bootIdBefore: ledger?.bootIdBefore,
    bootIdAfter: ledger?.result?.bootIdAfter,
    stepTimes: ledger?.stepTimes,
    rebootStatus: rebootStatusOf(facts),
  };
  const final = ledger?.result;
  if (final && step === 'Release') return { ...common, ...finalFields(final, ledger) };
  if (final && isGivenUp({ facts, walk }))
    return { ...common, ...finalFields({ ...final, message: `${final.message}; ${STAYS_CLAIMED}` }, ledger) };
  const { reason, message } = result.is === 'done' ? {} : result;
  const text = message ?? final?.message;
  const withRefusal = writeRefusal === undefined ? text : `${text ?? step}; refused: ${writeRefusal}`;
  return {
    ...common,
    nodeUid: ledger?.nodeUid,
    systemUUID: ledger?.systemUUID,
    jobUid: ledger?.job?.uid,
    ending: final?.phase,
    phase: phaseAt(step),
    step,
    reason: reason ?? final?.reason,
    message: withNotes(withRefusal, ledger),
  };
}

type Ledger = Facts['ledger'];

const finalFields = (
  { phase, reason, message, log, exitCode, at }: NonNullable<NonNullable<Ledger>['result']>,
  ledger: Ledger,
) => ({ phase, reason, message: withNotes(message, ledger), log, exitCode, completedAt: at });

/** What every message mentions from then on. */
function withNotes(message: string | undefined, ledger: Ledger): string | undefined {
  const notes = [
    ...(ledger?.drainSkipped ? ['not drained: there is no other Ready, schedulable node'] : []),
    ...(ledger?.job?.added ? [`something added container ${ledger.job.added.join(', ')} to the Pod of the Job`] : []),
    ...(ledger?.staticPodsRemoved
      ? [`static pod ${ledger.staticPodsRemoved.join(', ')} is not on the node any more after its reboot`]
      : []),
  ];
  return notes.length === 0 ? message : `${message ?? ''} (${notes.join('; ')})`;
}

function phaseAt(step: Walk['step']): NodeStatus['phase'] {
  if (step === 'Claim') return 'Pending';
  return step === 'Preflight' ? 'Preflight' : 'Running';
}

function rebootStatusOf({ nodeOp, ledger }: Facts): NodeStatus['rebootStatus'] {
  if (!nodeOp.spec.rebootOnSuccess) return 'not-requested';
  const result = ledger?.result;
  if (result?.bootIdAfter !== undefined && ledger?.stepTimes.Reboot !== undefined) return 'completed';
  if (result?.phase === 'Failed') return 'cancelled';
  return result?.reason === 'Skipped' ? 'not-requested' : 'pending';
}
