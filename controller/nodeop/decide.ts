/** Decides for all nodes of one operation together: which nodes may start, what is done next, what the status contains. Pure. */
import type { NodeOpStatus } from '../../api/nodeop.js';
import { after } from '../../program/clock.js';
import { isFinal } from '../cluster/phases.js';
import type { Facts, PlannedAction } from './facts/facts.js';
import type { ParsedNodeOp } from './facts/parsed-nodeop.js';
import { nodeStatus, rolloutStateOf } from './status/node-status.js';
import { operationStatus, withRemovedCompleted } from './status/operation-status.js';
import { type Member, nextNodes, STOPPED, type Turns, type WaitReason } from './next-nodes.js';
import { detailFor, withLimitedLogs } from './status/truncate.js';
import { hasWaitDeadline } from './status/wait-deadlines.js';
import { bootAfter } from './steps/reboot.js';
import { walk } from './steps/walk.js';
import { ownValue } from '../../program/own-value.js';

export interface Plan {
  actions: readonly PlannedAction[];
  status: NodeOpStatus;
  /** The earliest deadline of any node, or when a refused dry run is repeated. */
  requeueAt?: Date;
}

/** `all` in the order in which the nodes start. */
export function decide(nodeOp: ParsedNodeOp, all: readonly Facts[], now: Date): Plan {
  const observed = all.map(facts => memberOf(nodeOp, facts));
  const turns = nextNodes(nodeOp, observed);
  const members = observed.map(member =>
    turns.granted.has(member.facts.name) ? memberOf(nodeOp, { ...member.facts, hasTurn: true }) : member,
  );
  const status = statusOf(nodeOp, { members, waiting: turns.waiting, now });
  const retries = members.flatMap(({ facts: { podRefusal } }) => podRefusal?.retryAt ?? []);
  const deadlines = [...members.flatMap(stepDeadline), ...startDeadlines(nodeOp, status), ...retries];
  return {
    actions: members.flatMap(actionOf).filter(({ action }) => action.do !== 'claim' || !isFinal(status)),
    status,
    requeueAt: deadlines.toSorted((a, b) => a.getTime() - b.getTime())[0],
  };
}

const memberOf = (nodeOp: ParsedNodeOp, facts: Facts): Member => ({
  facts,
  walk: walk(facts),
  before: ownValue(nodeOp.status.nodeStatuses, facts.name),
});

interface StatusInput {
  members: readonly Member[];
  waiting: Turns['waiting'];
  now: Date;
}

/** A failure found in this very pass makes the status final and stops the nodes that were about to start, which their entries must show. */
function statusOf(nodeOp: ParsedNodeOp, { members, waiting, now }: StatusInput): NodeOpStatus {
  const active = members.filter(each => rolloutStateOf(each) === 'active').length;
  const detail = detailFor({ targets: members.length, active });
  const build = (waitReasonOf: (name: string) => WaitReason | undefined) => {
    const entries = members.map(member => {
      const { name } = member.facts;
      return [name, nodeStatus({ ...member, waiting: waitReasonOf(name) }, detail)] as const;
    });
    const statuses = withRemovedCompleted(
      withLimitedLogs(Object.fromEntries(entries), nodeOp.status.nodeStatuses),
      now,
    );
    return operationStatus(nodeOp, statuses, now);
  };
  const status = build(name => waiting.get(name));
  return isFinal(status) ? build(name => waiting.get(name) ?? STOPPED) : status;
}

const stepDeadline = ({ walk: { result } }: Member): Date[] =>
  'until' in result && result.until !== undefined ? [result.until] : [];

/** Nothing may change while a node that has not started stays unavailable, so its start deadline needs a pass of its own. */
const startDeadlines = (nodeOp: ParsedNodeOp, { nodeStatuses }: NodeOpStatus): Date[] =>
  Object.values(nodeStatuses ?? {})
    .filter(({ phase, reason }) => phase === 'Pending' && hasWaitDeadline(reason))
    .flatMap(({ lastUpdated }) =>
      lastUpdated === undefined ? [] : [after(new Date(lastUpdated), nodeOp.spec.startDeadlineSeconds)],
    );

/** A result is recorded in one write with the step that follows it, so that no crash can come between the two. */
function actionOf({ facts, walk: { result: current } }: Member): PlannedAction[] {
  if (current.is === 'act') return [{ facts, action: current.action }];
  if (current.is !== 'end' || facts.ledger === undefined) return [];
  const { phase, reason, message, log, exitCode } = current;
  const result = { phase, reason, message, log, exitCode, at: facts.now.toISOString(), bootIdAfter: bootAfter(facts) };
  const next = walk({ ...facts, ledger: { ...facts.ledger, result } }).result;
  const entered = next.is === 'act' && next.action.do === 'record' ? next.action.change : {};
  return [{ facts, action: { do: 'record', change: { ...entered, result } } }];
}
