/** Decides what to do about one NodeOp: first everything that could still act on its nodes is stopped, then its status is migrated. Pure. */
import { cordonMarkOf } from '../cluster/cordon.js';
import { isFinal } from '../cluster/phases.js';
import { type DecidedNode, migratedStatus } from './convert.js';
import { decideNode } from './decide-node.js';
import { deletePod, planDeletion, removeFinalizer } from './deletion.js';
import type { Action, Facts, NodeFacts, OperationStatus, Plan, Verdict } from './facts.js';
import { planInvalidSpec } from './invalid-spec.js';
import { isWaitingToReboot } from './reboot-pod.js';

export function decide(facts: Facts, operationStatus: OperationStatus): Plan {
  const { op, isLegacyOwned, fault } = facts;
  /* An operation of this operator whose status the legacy operator has overwritten is migrated first, and deleted after that. */
  if (op.metadata.deletionTimestamp !== undefined && !(isLegacyOwned && isClaimed(facts))) return planDeletion(facts);
  if (!isLegacyOwned) return planCleanup(facts);
  const plan =
    fault === undefined ? planMigration(facts, operationStatus) : planInvalidSpec(facts, fault, operationStatus);
  return withReport(op, plan);
}

const isClaimed = ({ op, nodes }: Facts): boolean =>
  nodes.some(({ agent }) => agent?.spec.operation?.nodeOp.uid === op.metadata.uid);

function planMigration({ nodes, nodeOp, now }: Facts, operationStatus: OperationStatus): Plan {
  const verdicts = nodes.map(facts => ({ facts, verdict: decideNode(facts) }));
  const actions = verdicts.flatMap(({ verdict }) => (verdict.is === 'act' ? [verdict.action] : []));
  if (actions.length > 0) return { actions };
  const waiting = verdicts.flatMap(({ facts: { name }, verdict }) =>
    verdict.is === 'wait' ? [`${name}: ${verdict.message}`] : [],
  );
  if (waiting.length > 0) return { actions: [], waiting: waiting.join('; ') };
  const decided = verdicts.filter(isDecided);
  const uncordons = decided.flatMap(uncordonIfReleased);
  if (uncordons.length > 0) return { actions: uncordons };
  return { actions: [{ do: 'migrateStatus', status: migratedStatus(nodeOp, decided, { operationStatus, now }) }] };
}

const isDecided = (one: { facts: NodeFacts; verdict: Verdict }): one is DecidedNode =>
  one.verdict.is !== 'act' && one.verdict.is !== 'wait';

/** What is waited for is shown in the status. */
function withReport(op: Facts['op'], plan: Plan): Plan {
  const message = `migrating from the Go operator: ${plan.waiting}`;
  return plan.waiting === undefined || op.status?.message === message
    ? plan
    : { ...plan, actions: [...plan.actions, { do: 'reportWaiting', message }] };
}

/**
 * A cordon is undone where the legacy operator had finished the node, where its work cannot be continued, and where nothing but the cordon
 * was done, since the turn of that node may never come. A node that the legacy operator let fail stays cordoned for inspection.
 */
function uncordonIfReleased({ facts: { node, entry, nodeOp }, verdict }: DecidedNode): Action[] {
  const staysCordoned = verdict.is !== 'notStarted' && (verdict.is !== 'finished' || entry?.phase === 'Failed');
  return staysCordoned || node === undefined || cordonMarkOf(node) !== nodeOp.cordonMark
    ? []
    : [{ do: 'uncordon', node }];
}

/** An operation that is finished, or already migrated: leftovers are removed, and the status is not touched. */
function planCleanup({ rebootPods, op, nodeOp, nodes }: Facts): Plan {
  const waiting = rebootPods.filter(isWaitingToReboot);
  if (waiting.length > 0) return { actions: waiting.map(deletePod) };
  const hasLegacyStatus = isFinal(op.status) && op.status?.startedAt === undefined;
  const cordoned =
    hasLegacyStatus && op.status?.phase === 'Completed'
      ? nodes.flatMap(({ node }) => (node && cordonMarkOf(node) === nodeOp.cordonMark ? [node] : []))
      : [];
  return { actions: [...cordoned.map(node => ({ do: 'uncordon', node }) as const), ...removeFinalizer(op)] };
}
