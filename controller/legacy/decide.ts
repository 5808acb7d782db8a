/** What is done about one operation now: first whatever could still act beside us goes, then the words are ours. Pure. */
import { cordonMarkOf } from '../cluster/cordon.js';
import { isFinal } from '../cluster/phases.js';
import { converted, type Judged } from './convert.js';
import type { Action, Facts, NodeFacts, Plan, Verdict } from './facts.js';
import { isWaiting, decideNode } from './decide-node.js';
import { deletion, finalizer, leaving } from './deletion.js';
import { ending } from './invalid-spec.js';

export function decide(facts: Facts): Plan {
  const { op, nodeOp, held, fault } = facts;
  /* One of ours, whose beginning another operator wiped out, is taken over first: only then is its deletion gone about. */
  if (op.metadata.deletionTimestamp !== undefined && !(held && isClaimed(facts))) return leaving(facts);
  if (!held) return settled(facts);
  if (fault !== undefined) return loud(op, ending(facts, nodeOp, fault));
  const judged = facts.nodes.map(node => ({ facts: node, verdict: decideNode(node) }));
  const acts = judged.flatMap(({ verdict }) => (verdict.is === 'act' ? [verdict.action] : []));
  if (acts.length > 0) return { actions: acts };
  const waits = judged.flatMap(({ facts: { name }, verdict }) =>
    verdict.is === 'wait' ? [`${name}: ${verdict.message}`] : [],
  );
  if (waits.length > 0) return loud(op, { actions: [], waiting: waits.join('; ') });
  const known = judged.filter(isKnown);
  const open = known.flatMap(uncordoning);
  if (open.length > 0) return { actions: open };
  return { actions: [{ do: 'convert', status: converted(known, { nodeOp, now: facts.now }) }] };
}

const isClaimed = ({ op, nodes }: Facts): boolean =>
  nodes.some(({ agent }) => agent?.spec.operation?.nodeOp.uid === op.metadata.uid);

/** Nobody waits in silence. */
function loud(op: Facts['op'], plan: Plan): Plan {
  const message = `taking over from an earlier operator: ${plan.waiting}`;
  return plan.waiting === undefined || op.status?.message === message
    ? plan
    : { ...plan, actions: [...plan.actions, { do: 'tell', message }] };
}

const isKnown = (one: { facts: NodeFacts; verdict: Verdict }): one is Judged =>
  one.verdict.is !== 'act' && one.verdict.is !== 'wait';

/**
 * Left by the earlier operator on a node that it was done with, that we give up on, or where it had done nothing else: that one may never
 * have its turn. One that it let fail stays, for inspection.
 */
function uncordoning({ facts: { node, entry, nodeOp }, verdict }: Judged): Action[] {
  const stays = verdict.is !== 'fresh' && (verdict.is !== 'ended' || entry?.phase === 'Failed');
  return stays || node === undefined || cordonMarkOf(node) !== nodeOp.cordonMark ? [] : [{ do: 'uncordon', node }];
}

/** Of an operation that is over, or ours: only what is left around it. Its status is not touched. */
function settled({ rebootPods, op, nodeOp, nodes }: Facts): Plan {
  const waiting = rebootPods.filter(isWaiting);
  if (waiting.length > 0) return { actions: waiting.map(deletion) };
  const isFormers = isFinal(op.status) && op.status?.startedAt === undefined;
  const cordoned =
    isFormers && op.status?.phase === 'Completed'
      ? nodes.flatMap(({ node }) => (node && cordonMarkOf(node) === nodeOp.cordonMark ? [node] : []))
      : [];
  return { actions: [...cordoned.map(node => ({ do: 'uncordon', node }) as const), ...finalizer(op)] };
}
