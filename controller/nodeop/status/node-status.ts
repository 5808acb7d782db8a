/** What is seen of one node → its entry in the status. */
import type { NodeStatus } from '../../../api/node-status.js';
import { isSameJson } from '../../../kube/merge-patch.js';
import { type Detail, truncated } from './truncate.js';
import type { Facts } from '../facts/facts.js';
import { isLedgerLost } from '../facts/ledger.js';
import type { Walk } from '../steps/walk.js';
import { attemptOn } from '../facts/parsed-nodeop.js';
import { isFinal } from '../../cluster/phases.js';

export type Standing = 'pending' | 'active' | 'completed' | 'failed';

interface Seen {
  facts: Facts;
  walk: Walk;
  before: NodeStatus | undefined;
  /** Why a node that has not started waits. */
  waiting?: { reason: NonNullable<NodeStatus['reason']>; message: string };
}

/**
 * pending: untouched. active: holds a slot. A slot is free again when the node is: an end counts from when everything was undone,
 * though the report may be still to come. A node whose ledger was lost is still worked on.
 */
export function standingOf({ facts, walk, before }: Pick<Seen, 'facts' | 'walk' | 'before'>): Standing {
  if (before?.phase === 'Completed') return 'completed';
  if (before?.phase === 'Failed') return 'failed';
  const result = facts.ledger?.result;
  if (result && walk.step === 'Release') return result.phase === 'Failed' ? 'failed' : 'completed';
  return facts.ledger || isLedgerLost(facts) ? 'active' : 'pending';
}

/** Keeps a finished entry as it is, and `lastUpdated` where nothing else changed. */
export function nodeStatus(seen: Seen, detail: Detail = 'full'): NodeStatus {
  const { facts, before } = seen;
  if (before && isFinal(before)) return before;
  const full = fullEntry(seen);
  const entry = detail === 'full' ? full : truncated(full, detail);
  const same = before && isSameJson({ ...before, lastUpdated: undefined }, { ...entry, lastUpdated: undefined });
  if (same) return before;
  const isShort = detail === 'short' || detail === 'least';
  const undated =
    (isShort && isFinal(entry)) || (detail === 'least' && entry.startedAt !== undefined && !entry.stepTimes);
  return undated ? entry : { ...entry, lastUpdated: since(entry, before) ?? facts.now.toISOString() };
}

function fullEntry(seen: Seen): NodeStatus {
  const { facts, before } = seen;
  if (facts.ledger) return underWay(seen);
  return before && isLedgerLost(facts) ? lost(facts, before) : untouched(seen);
}

/** The entry is the only copy of how far the walk had got: nothing of it is dropped. */
function lost({ node, name, now }: Facts, before: NodeStatus): NodeStatus {
  if (node !== undefined) return { ...before, message: 'its claim was taken away by somebody; taking it up again' };
  const message = `node ${name} was removed while it was worked on`;
  return { ...before, phase: 'Failed', reason: 'NodeRemoved', message, completedAt: now.toISOString() };
}

/** Of a wait that has an end: its words may change, the time that it may take begins once. */
const since = (entry: NodeStatus, before: NodeStatus | undefined): string | undefined =>
  entry.reason === before?.reason &&
  entry.step === before?.step &&
  !isFinal(entry) &&
  DEADLINE_REASONS.has(entry.reason ?? '')
    ? before?.lastUpdated
    : undefined;

function untouched({ facts, walk, before, waiting }: Seen): NodeStatus {
  const { nodeOp, name, now } = facts;
  const attempt = attemptOn(nodeOp, name);
  const late = tooLate({ facts, before, waiting, walk });
  const rebootStatus = nodeOp.spec.rebootOnSuccess ? ('cancelled' as const) : ('not-requested' as const);
  if (late) return { phase: 'Failed', ...late, attempt, rebootStatus, completedAt: now.toISOString() };
  const told =
    waiting ?? (walk.result.is === 'wait' ? { reason: walk.result.reason, message: walk.result.message } : {});
  return { phase: 'Pending', ...told, attempt, ...rebootOf(facts) };
}

type Late = { reason: NonNullable<NodeStatus['reason']>; message: (seconds: number, waiting: string) => string };

const within =
  (what: string): Late['message'] =>
  seconds =>
    `${what} within ${seconds} s`;

/** Reasons that end a node which waits for them, with a slot free, longer than startDeadlineSeconds; and what it then says. */
export const DEADLINE_REASONS = new Map<string, Late>([
  ['NodeNotReady', { reason: 'NodeNotReady', message: within('the node was not Ready') }],
  ['WaitingForAgent', { reason: 'AgentNotAnswering', message: within('the node had no NodeAgent') }],
  ['ControlPlaneNotReady', { reason: 'ControlPlaneNotReady', message: within('another control plane was not Ready') }],
  ['PodRefused', { reason: 'PodRefused', message: (seconds, waiting) => `for ${seconds} s, ${waiting}` }],
]);

/** Nothing may be waited for in silence; since when, the entry itself remembers. */
function tooLate({ facts, before, waiting }: Seen): Pick<NodeStatus, 'reason' | 'message'> | undefined {
  const { startDeadlineSeconds } = facts.nodeOp.spec;
  const late = DEADLINE_REASONS.get(waiting?.reason ?? '');
  if (late === undefined || before?.reason !== waiting?.reason || before?.lastUpdated === undefined) return undefined;
  if (facts.now.getTime() - Date.parse(before.lastUpdated) < startDeadlineSeconds * 1000) return undefined;
  return { reason: late.reason, message: late.message(startDeadlineSeconds, waiting?.message ?? '') };
}

function underWay({ facts, walk }: Seen): NodeStatus {
  const { ledger, nodeOp, name } = facts;
  const attempt = attemptOn(nodeOp, name);
  const common: Omit<NodeStatus, 'phase'> = {
    jobName: ledger?.job?.name,
    attempt,
    startedAt: ledger?.stepTimes.Claim,
    bootIdBefore: ledger?.bootIdBefore,
    bootIdAfter: ledger?.result?.bootIdAfter,
    stepTimes: ledger?.stepTimes,
    ...rebootOf(facts),
  };
  const ended = ledger?.result;
  if (ended && walk.step === 'Release')
    return {
      ...common,
      phase: ended.phase,
      reason: ended.reason,
      message: withDrain(ended.message, ledger),
      log: ended.log,
      exitCode: ended.exitCode,
      completedAt: ended.at,
    };
  const { result } = walk;
  const told = result.is === 'done' ? {} : { reason: result.reason, message: result.message };
  const words = told.message ?? ended?.message;
  const spoken = facts.refusedWrite === undefined ? words : `${words ?? walk.step}; refused: ${facts.refusedWrite}`;
  const message = withDrain(spoken, ledger);
  const underWayOnly = { nodeUid: ledger?.nodeUid, jobUid: ledger?.job?.uid, ending: ended?.phase };
  const reason = told.reason ?? ended?.reason;
  return { ...common, ...underWayOnly, phase: phaseAt(walk), step: walk.step, reason, message };
}

/** A drain that was asked for and left out is said from then on. */
const withDrain = (message: string | undefined, ledger: Facts['ledger']): string | undefined =>
  ledger?.drainSkipped ? `${message ?? ''} (not drained: there is no other Ready, schedulable node)` : message;

function phaseAt({ step }: Walk): NodeStatus['phase'] {
  if (step === 'Claim') return 'Pending';
  return step === 'Preflight' ? 'Preflight' : 'Running';
}

function rebootOf({ nodeOp, ledger }: Facts): Pick<NodeStatus, 'rebootStatus'> {
  if (!nodeOp.spec.rebootOnSuccess) return { rebootStatus: 'not-requested' };
  const result = ledger?.result;
  if (result?.bootIdAfter !== undefined && ledger?.stepTimes.Reboot !== undefined) return { rebootStatus: 'completed' };
  if (result?.phase === 'Failed') return { rebootStatus: 'cancelled' };
  if (result?.reason === 'Skipped') return { rebootStatus: 'not-requested' };
  return { rebootStatus: 'pending' };
}
