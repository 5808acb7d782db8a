/** All nodes of one operation together: whose turn it is, what is done next, what the status says. Pure. */
import { isReady } from '../cluster/node.js';
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOpStatus } from '../../api/nodeop.js';
import { isControlPlane } from '../cluster/control-plane.js';
import type { Action, Facts } from './facts/facts.js';
import { after } from '../../program/clock.js';
import { detailFor, withFewLogs } from './status/truncate.js';
import { DEADLINED, type Standing, nodeStatus, stands } from './status/node-status.js';
import { operationStatus, withoutRemoved } from './status/operation-status.js';
import { type Walk, walk } from './steps/walk.js';
import { controlPlaneHeldBack } from './steps/control-plane.js';
import { bootAfter } from './steps/reboot.js';
import { NO_ANSWER } from './reads/admission-rehearsal.js';
import { slots } from '../cluster/targets.js';
import { isFinal } from '../cluster/phases.js';
import type { ParsedNodeOp } from './facts/parsed-nodeop.js';

export interface Plan {
  actions: { facts: Facts; action: Action }[];
  status: NodeOpStatus;
  /** When a deadline of some node comes up. */
  requeueAt?: Date;
}

interface Seen {
  facts: Facts;
  walk: Walk;
  before: NodeStatus | undefined;
}

/** `all` in the order in which they go. */
export function decide(nodeOp: ParsedNodeOp, all: readonly Facts[], now: Date): Plan {
  const seen = all.map(facts => look(nodeOp, facts));
  const turns = nextOnes(nodeOp, seen);
  const walked = seen.map(each =>
    turns.granted.has(each.facts.name) ? look(nodeOp, { ...each.facts, hasTurn: true }) : each,
  );
  const active = walked.filter(each => stands(each) === 'active').length;
  const detail = detailFor({ targets: walked.length, active });
  const report = (why: (name: string) => WaitReason | undefined) => {
    const entries = walked.map(
      each => [each.facts.name, nodeStatus({ ...each, waiting: why(each.facts.name) }, detail)] as const,
    );
    const statuses = withoutRemoved(withFewLogs(Object.fromEntries(entries), nodeOp.status.nodeStatuses), now);
    return operationStatus(nodeOp, statuses, now);
  };
  const first = report(name => turns.why.get(name));
  /* A wait that ended in this very pass may have stopped the nodes that were to go next. */
  const status = isFinal(first) ? report(name => turns.why.get(name) ?? STOPPED) : first;
  const entries = Object.values(status.nodeStatuses ?? {});
  const times = [...walked.flatMap(each => untilOf(each)), ...startDeadlines(nodeOp, entries)];
  return {
    actions: walked.flatMap(each => actionOf(each)).filter(({ action }) => action.do !== 'claim' || !isFinal(status)),
    status,
    requeueAt: times.sort((a, b) => a.getTime() - b.getTime())[0],
  };
}

const look = (nodeOp: ParsedNodeOp, facts: Facts): Seen => ({
  facts,
  walk: walk(facts),
  before: nodeOp.status.nodeStatuses?.[facts.name],
});

const untilOf = ({ walk: { result: seen } }: Seen): Date[] =>
  'until' in seen && seen.until !== undefined ? [seen.until] : [];

/** Nothing happens any more when a node that is waited for does not come: its time must be looked at by itself. */
const startDeadlines = (nodeOp: ParsedNodeOp, statuses: readonly NodeStatus[]): Date[] =>
  statuses
    .filter(({ phase, reason }) => phase === 'Pending' && DEADLINED.has(reason ?? ''))
    .flatMap(({ lastUpdated }) =>
      lastUpdated === undefined ? [] : [after(new Date(lastUpdated), nodeOp.spec.startDeadlineSeconds)],
    );

/** An end is written together with the first step of the ending: one write, and no moment between them. */
function actionOf({ facts, walk: { result: seen } }: Seen): { facts: Facts; action: Action }[] {
  if (seen.is === 'act') return [{ facts, action: seen.action }];
  if (seen.is !== 'end' || facts.ledger === undefined) return [];
  const { phase, reason, message, log, exitCode } = seen;
  const result = { phase, reason, message, log, exitCode, at: facts.now.toISOString(), bootIdAfter: bootAfter(facts) };
  const next = walk({ ...facts, ledger: { ...facts.ledger, result } }).result;
  const entered = next.is === 'act' && next.action.do === 'record' ? next.action.change : {};
  return [{ facts, action: { do: 'record', change: { ...entered, result } } }];
}

interface WaitReason {
  reason: NonNullable<NodeStatus['reason']>;
  message: string;
}

const STOPPED: WaitReason = { reason: 'Stopped', message: 'not started: another node failed' };

interface Turns {
  granted: ReadonlySet<string>;
  /** Why the others wait. */
  why: ReadonlyMap<string, WaitReason>;
}

/**
 * Slots are counted from what is seen, never remembered. A node whose end is recorded holds none.
 * A node that is not Ready is told so, and its deadline runs, only while a slot is free for it.
 */
function nextOnes(nodeOp: ParsedNodeOp, seen: readonly Seen[]): Turns {
  const why = new Map<string, WaitReason>();
  const granted = new Set<string>();
  const standings = new Map(seen.map(each => [each.facts.name, stands(each)]));
  const stopped = seen.some(each => hasFailed(each) && stopsOthers(nodeOp, each));
  const controlPlanes = seen
    .filter(({ facts: { node } }) => node !== undefined && isControlPlane(node))
    .map(each => each.facts.name);
  let free =
    slots(nodeOp.spec.concurrency, seen.length) - [...standings.values()].filter(each => each === 'active').length;
  for (const { facts } of seen.filter(each => standings.get(each.facts.name) === 'pending')) {
    const held = heldBack(nodeOp, facts, { stopped, controlPlanes, standings, granted });
    if (held && (!DEADLINED.has(held.reason) || free > 0)) why.set(facts.name, held);
    else if (free > 0) {
      free -= 1;
      granted.add(facts.name);
    } else why.set(facts.name, { reason: 'WaitingForTurn', message: 'waiting for its turn' });
  }
  return { granted, why };
}

/** From the moment that its end is written down, though much may be left to undo. */
const hasFailed = ({ facts, before }: Seen): boolean =>
  before?.phase === 'Failed' || before?.ending === 'Failed' || facts.ledger?.result?.phase === 'Failed';

/** Does this failure keep other nodes from starting? A system that a node fell back from must not go any further. */
const stopsOthers = (nodeOp: ParsedNodeOp, { facts, before }: Seen): boolean =>
  nodeOp.spec.stopOnFailure || before?.reason === 'FellBack' || facts.ledger?.result?.reason === 'FellBack';

interface TurnContext {
  stopped: boolean;
  controlPlanes: readonly string[];
  standings: ReadonlyMap<string, Standing>;
  granted: ReadonlySet<string>;
}

/** Reasons for which a node does not start even if a slot is free; such a node holds none. */
function heldBack(nodeOp: ParsedNodeOp, facts: Facts, around: TurnContext): WaitReason | undefined {
  const { node, agent, heldBy } = facts;
  if (nodeOp.deleting) return { reason: 'Deleted', message: 'the operation is being deleted' };
  if (around.stopped) return STOPPED;
  if (nodeOp.spec.paused) return { reason: 'Paused', message: 'not started: the operation is paused' };
  if (node === undefined) return { reason: 'NodeRemoved', message: 'the node left the cluster before its turn' };
  if (heldBy !== undefined) return { reason: 'WaitingForOperation', message: `waiting for operation ${heldBy}` };
  if (facts.refusedPod !== undefined) return { reason: 'PodRefused', message: refusedWords(facts.refusedPod) };
  if (!isReady(node)) return { reason: 'NodeNotReady', message: 'waiting for the node to be Ready' };
  if (agent === undefined) return { reason: 'WaitingForAgent', message: 'waiting for the NodeAgent of the node' };
  return nodeOp.disruptive ? behindControlPlanes(nodeOp, { facts, worker: !isControlPlane(node) }, around) : undefined;
}

const refusedWords = (refused: string): string =>
  refused.startsWith(NO_ANSWER)
    ? `it is not known whether the Pod of the Job would be let in: ${refused}`
    : `the Pod of the Job would be refused: ${refused}`;

/** Control planes go one at a time, and before the workers of an upgrade. */
function behindControlPlanes(
  nodeOp: ParsedNodeOp,
  { facts, worker }: { facts: Facts; worker: boolean },
  { controlPlanes, standings, granted }: TurnContext,
): WaitReason | undefined {
  const others = controlPlanes.filter(other => other !== facts.name);
  if (!worker) {
    const busy = others.some(other => standings.get(other) === 'active' || granted.has(other));
    if (busy) return { reason: 'WaitingForTurn', message: 'control planes go one at a time' };
    return controlPlaneHeldBack(facts);
  }
  if (!nodeOp.upgrade || others.every(other => standings.get(other) === 'completed')) return undefined;
  if (others.some(other => standings.get(other) === 'failed'))
    return { reason: 'Stopped', message: 'not started: a control plane failed' };
  return { reason: 'WaitingForControlPlanes', message: 'workers start when every control plane is done' };
}
