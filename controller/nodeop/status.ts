/** What is seen of the nodes → the words of the status. */
import type { NodeCounts, NodeStatus } from '../../api/node-status.js';
import type { NodeOpStatus } from '../../api/nodeop.js';
import { sameJson } from '../../kube/merge.js';
import { conditions } from '../conditions.js';
import type { Facts } from './facts.js';
import { isLost } from './ledger.js';
import type { Walk } from './steps.js';
import { attemptOn, isFinal, type Wish } from './wish.js';

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
export function stands({ facts, walk, before }: Pick<Seen, 'facts' | 'walk' | 'before'>): Standing {
  if (before?.phase === 'Completed') return 'completed';
  if (before?.phase === 'Failed') return 'failed';
  const result = facts.ledger?.result;
  if (result && walk.at === 'Release') return result.phase === 'Failed' ? 'failed' : 'completed';
  return facts.ledger || isLost(facts) ? 'active' : 'pending';
}

/** Keeps a finished entry as it is, and `lastUpdated` where nothing else changed. */
export function nodeStatus(seen: Seen, detail: Detail = 'full'): NodeStatus {
  const { facts, before } = seen;
  if (before && isFinal(before)) return before;
  const full = facts.ledger ? underWay(seen) : before && isLost(facts) ? lost(facts, before) : untouched(seen);
  const entry = detail === 'full' ? full : inShort(full, detail);
  const same = before && sameJson({ ...before, lastUpdated: undefined }, { ...entry, lastUpdated: undefined });
  if (same) return before;
  const undated = (detail !== 'full' && isFinal(entry)) || (detail === 'least' && entry.startedAt !== undefined);
  return undated ? entry : { ...entry, lastUpdated: facts.now.toISOString() };
}

/** How much is told of one node: 5,000 of them must fit into one object, all at work at the same time if need be. */
export type Detail = 'full' | 'short' | 'least';

const ALL_IN_FULL_UP_TO = 1_000;
const ACTIVE_IN_FULL_UP_TO = 500;

export function detailFor({ targets, active }: { targets: number; active: number }): Detail {
  if (targets <= ALL_IN_FULL_UP_TO) return 'full';
  return active <= ACTIVE_IN_FULL_UP_TO ? 'short' : 'least';
}

/** Room for one message where there are very many: a thousandfold refusal in full would not fit into one object. Events have all words. */
const WORDS_IN_SHORT = 60;

const cut = (message: string | undefined): string | undefined =>
  message === undefined || message.length <= WORDS_IN_SHORT ? message : `${message.slice(0, WORDS_IN_SHORT - 3)}...`;

/**
 * Of very many targets, one that ended keeps only what tells how, and one that waits for its turn only that: 5,000 of them must fit
 * into one object. The attempt is what the name of the next Job depends on.
 */
function inShort(entry: NodeStatus, detail: Detail): NodeStatus {
  const { phase, reason, lastUpdated } = entry;
  const message = cut(entry.message);
  const attempt = (entry.attempt ?? 1) > 1 ? { attempt: entry.attempt } : {};
  if (isFinal(entry)) return { phase, reason, message, ...attempt };
  if (entry.startedAt !== undefined) return detail === 'least' ? atLeast(entry) : entry;
  return { phase, reason, ...(reason === 'WaitingForTurn' ? {} : { message }), lastUpdated, ...attempt };
}

/** What no look at the cluster could tell again if the ledger got lost. Control planes, one at a time, are told of in full. */
function atLeast(entry: NodeStatus): NodeStatus {
  if (entry.stepTimes?.ControlPlane !== undefined) return entry;
  const { phase, step, ending, attempt, startedAt, bootIdBefore, nodeUid, jobUid } = entry;
  return { phase, step, ending, startedAt, bootIdBefore, nodeUid, jobUid, ...((attempt ?? 1) > 1 ? { attempt } : {}) };
}

/** The entry is the only copy of how far the walk had got: nothing of it is dropped. */
function lost({ node, name, now }: Facts, before: NodeStatus): NodeStatus {
  if (node !== undefined) return { ...before, message: 'its claim was taken away by somebody; taking it up again' };
  const message = `node ${name} was removed while it was worked on`;
  return { ...before, phase: 'Failed', reason: 'NodeRemoved', message, completedAt: now.toISOString() };
}

function untouched({ facts, walk, before, waiting }: Seen): NodeStatus {
  const { wish, name, now } = facts;
  const attempt = attemptOn(wish, name);
  const late = tooLate({ facts, before, waiting, walk });
  const rebootStatus = wish.spec.rebootOnSuccess ? ('cancelled' as const) : ('not-requested' as const);
  if (late) return { phase: 'Failed', ...late, attempt, rebootStatus, completedAt: now.toISOString() };
  const told = waiting ?? (walk.look.is === 'wait' ? { reason: walk.look.reason, message: walk.look.message } : {});
  return { phase: 'Pending', ...told, attempt, ...rebootOf(facts) };
}

type Late = { reason: NonNullable<NodeStatus['reason']>; message: (seconds: number, waiting: string) => string };

const within =
  (what: string): Late['message'] =>
  seconds =>
    `${what} within ${seconds} s`;

/** Reasons that end a node which waits for them, with a slot free, longer than startDeadlineSeconds; and what it then says. */
export const DEADLINED = new Map<string, Late>([
  ['NodeNotReady', { reason: 'NodeNotReady', message: within('the node was not Ready') }],
  ['WaitingForAgent', { reason: 'AgentNotAnswering', message: within('the node had no NodeAgent') }],
  ['ControlPlaneNotReady', { reason: 'ControlPlaneNotReady', message: within('another control plane was not Ready') }],
  ['PodRefused', { reason: 'PodRefused', message: (seconds, waiting) => `for ${seconds} s, ${waiting}` }],
]);

/** Nothing may be waited for in silence; since when, the entry itself remembers. */
function tooLate({ facts, before, waiting }: Seen): Pick<NodeStatus, 'reason' | 'message'> | undefined {
  const { startDeadlineSeconds } = facts.wish.spec;
  const late = DEADLINED.get(waiting?.reason ?? '');
  if (late === undefined || before?.reason !== waiting?.reason || before?.lastUpdated === undefined) return undefined;
  if (facts.now.getTime() - Date.parse(before.lastUpdated) < startDeadlineSeconds * 1000) return undefined;
  return { reason: late.reason, message: late.message(startDeadlineSeconds, waiting?.message ?? '') };
}

/** Nodes that left before their turn may come back as long as others are under way; at the end, nothing was done there. */
export function withoutRemoved(statuses: Record<string, NodeStatus>, now: Date): Record<string, NodeStatus> {
  const removed = (entry: NodeStatus) => entry.phase === 'Pending' && entry.reason === 'NodeRemoved';
  const over = (entry: NodeStatus) => isFinal(entry) || removed(entry) || entry.reason === 'Stopped';
  if (!Object.values(statuses).every(over)) return statuses;
  const at = now.toISOString();
  const end = { phase: 'Completed' as const, rebootStatus: 'not-requested' as const, completedAt: at, lastUpdated: at };
  return Object.fromEntries(
    Object.entries(statuses).map(([name, entry]) => [name, removed(entry) ? { ...entry, ...end } : entry]),
  );
}

function underWay({ facts, walk }: Seen): NodeStatus {
  const { ledger, wish, name } = facts;
  const attempt = attemptOn(wish, name);
  const common: Omit<NodeStatus, 'phase'> = {
    jobName: ledger?.job?.name,
    attempt,
    startedAt: ledger?.stepTimes.Claim,
    bootIdBefore: ledger?.bootIdBefore,
    bootIdAfter: ledger?.result?.bootIdAfter,
    stepTimes: ledger?.stepTimes,
    ...rebootOf(facts),
  };
  const result = ledger?.result;
  if (result && walk.at === 'Release')
    return {
      ...common,
      phase: result.phase,
      reason: result.reason,
      message: withDrain(result.message, ledger),
      log: result.log,
      exitCode: result.exitCode,
      completedAt: result.at,
    };
  const { look } = walk;
  const told = look.is === 'done' ? {} : { reason: look.reason, message: look.message };
  const words = told.message ?? result?.message;
  const spoken = facts.trouble === undefined ? words : `${words ?? walk.at}; refused: ${facts.trouble}`;
  const message = withDrain(spoken, ledger);
  const underWayOnly = { nodeUid: ledger?.nodeUid, jobUid: ledger?.job?.uid, ending: result?.phase };
  const reason = told.reason ?? result?.reason;
  return { ...common, ...underWayOnly, phase: phaseAt(walk), step: walk.at, reason, message };
}

/** A drain that was asked for and left out is said from then on. */
const withDrain = (message: string | undefined, ledger: Facts['ledger']): string | undefined =>
  ledger?.drainSkipped ? `${message ?? ''} (not drained: there is no other Ready, schedulable node)` : message;

function phaseAt({ at }: Walk): NodeStatus['phase'] {
  if (at === 'Claim') return 'Pending';
  return at === 'Preflight' ? 'Preflight' : 'Running';
}

function rebootOf({ wish, ledger }: Facts): Pick<NodeStatus, 'rebootStatus'> {
  if (!wish.spec.rebootOnSuccess) return { rebootStatus: 'not-requested' };
  const result = ledger?.result;
  if (result?.bootIdAfter !== undefined && ledger?.stepTimes.Reboot !== undefined) return { rebootStatus: 'completed' };
  if (result?.phase === 'Failed') return { rebootStatus: 'cancelled' };
  if (result?.reason === 'Skipped') return { rebootStatus: 'not-requested' };
  return { rebootStatus: 'pending' };
}

const NOTHING_DONE = new Set<string>(['Skipped', 'NodeRemoved']);

function count(statuses: readonly NodeStatus[]): NodeCounts {
  const of = (test: (status: NodeStatus) => boolean) => statuses.filter(test).length;
  const started = (status: NodeStatus) => status.startedAt !== undefined;
  return {
    total: statuses.length,
    pending: of(status => !isFinal(status) && !started(status)),
    active: of(status => !isFinal(status) && started(status)),
    completed: of(status => status.phase === 'Completed'),
    skipped: of(status => status.phase === 'Completed' && NOTHING_DONE.has(status.reason ?? '')),
    failed: of(status => status.phase === 'Failed'),
  };
}

/** The whole status: final only when every target ended, or, with stopOnFailure, every started one. */
export function operationStatus(wish: Wish, nodeStatuses: Record<string, NodeStatus>, now: Date): NodeOpStatus {
  const nodes = count(Object.values(nodeStatuses));
  const waiting = Object.values(nodeStatuses).filter(entry => !isFinal(entry));
  const stopped =
    (wish.spec.stopOnFailure && nodes.failed > 0) ||
    wish.deleting ||
    waiting.every(({ reason }) => reason === 'Stopped');
  const over = nodes.active === 0 && (nodes.pending === 0 || stopped);
  const phase = over
    ? nodes.failed > 0 || nodes.pending > 0
      ? 'Failed'
      : 'Completed'
    : nodes.active + nodes.completed + nodes.failed > 0
      ? 'Running'
      : 'Pending';
  const message = inWords(nodeStatuses, nodes, phase);
  return {
    ...wish.status,
    phase,
    message,
    observedGeneration: wish.meta.generation,
    nodes,
    progress: `${nodes.completed + nodes.failed}/${nodes.total}`,
    nodeStatuses,
    conditions: conditions(wish, { phase, message, now }),
    ...(over ? { completedAt: wish.status.completedAt ?? now.toISOString() } : {}),
  };
}

const exitOf = ({ exitCode }: NodeStatus) => (exitCode === undefined ? '' : ` (exit code ${exitCode})`);

function inWords(statuses: Record<string, NodeStatus>, nodes: NodeCounts, phase: string): string {
  const entries = Object.entries(statuses);
  const failed = entries.find(([, status]) => status.phase === 'Failed');
  if (failed)
    return `${nodes.failed} of ${nodes.total} nodes failed; ${failed[0]}: ${failed[1].message ?? ''}${exitOf(failed[1])}`;
  if (phase === 'Completed')
    return `${nodes.completed} node${nodes.completed === 1 ? '' : 's'} done${nodes.skipped > 0 ? `, ${nodes.skipped} of them had nothing to do` : ''}`;
  const open = entries.filter(([, status]) => !isFinal(status));
  const active =
    open.find(([, status]) => status.step !== undefined) ?? open.find(([, status]) => status.message !== undefined);
  return active ? `${active[0]}: ${active[1].message ?? active[1].step ?? ''}` : 'waiting for nodes to start';
}
