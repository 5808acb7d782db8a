/** What is done about one operation now: first whatever could still act beside us goes, then the words are ours. Pure. */
import { LABELS } from '../../api/names.js';
import { cordonMark } from '../cordon.js';
import { isFinal } from '../nodeop/wish.js';
import { hasEnded, isAlive, type SeenJob, type SeenPod } from '../seen.js';
import { converted, type Judged } from './convert.js';
import type { Action, Facts, NodeFacts, Plan, Verdict } from './facts.js';
import { isWaiting, judge } from './judge.js';
import { FORMER_FINALIZER, SURE_OF_BOOT } from './names.js';

export function decide(facts: Facts): Plan {
  const { op, wish, held } = facts;
  if (op.metadata.deletionTimestamp !== undefined) return leaving(facts);
  if (!held || wish === undefined) return settled(facts);
  const judged = facts.nodes.map(node => ({ facts: node, verdict: judge(node) }));
  const acts = judged.flatMap(({ verdict }) => (verdict.is === 'act' ? [verdict.action] : []));
  if (acts.length > 0) return { actions: acts };
  const waits = judged.flatMap(({ facts: { name }, verdict }) =>
    verdict.is === 'wait' ? [`${name}: ${verdict.message}`] : [],
  );
  if (waits.length > 0) return { actions: [], waiting: waits.join('; ') };
  const known = judged.filter(isKnown);
  const open = known.flatMap(uncordoning);
  if (open.length > 0) return { actions: open };
  return { actions: [{ do: 'convert', status: converted(known, { wish, now: facts.now }) }] };
}

const isKnown = (one: { facts: NodeFacts; verdict: Verdict }): one is Judged =>
  one.verdict.is !== 'act' && one.verdict.is !== 'wait';

/** Left by the earlier operator on a node that it was done with, or that we give up on. One that it let fail stays, for inspection. */
function uncordoning({ facts: { node, entry, wish }, verdict }: Judged): Action[] {
  const failedBefore = entry?.phase === 'Failed';
  if (verdict.is !== 'ended' || failedBefore || node === undefined || cordonMark(node) !== wish.mark) return [];
  return [{ do: 'uncordon', node }];
}

/** Nobody waits for it any more: no reboot may come later, and its deletion is never stuck. */
function leaving(facts: Facts): Plan {
  const { rebootPods, readyNodes, op } = facts;
  const alive = rebootPods.filter(isAlive);
  const here = alive.filter(pod => pod.metadata.deletionTimestamp === undefined);
  if (here.length > 0) return { actions: here.map(deletion) };
  const job = writing(facts);
  if (job && job.metadata.annotations?.[SURE_OF_BOOT] === undefined) return { actions: [adoption(job)] };
  const answering = alive.find(pod => readyNodes.has(pod.spec.nodeName ?? '')) ?? job;
  if (answering) return { actions: [], waiting: `waiting for ${answering.metadata.name} to end` };
  return { actions: finalizer(op) };
}

/** A Job with reboot may be writing a system: the garbage collector would cut it short. As with every operation, it is let finish. */
function writing({ wish, held, jobs, readyNodes }: Facts): SeenJob | undefined {
  if (!held || wish?.spec.rebootOnSuccess !== true || wish.abandoned) return undefined;
  return jobs.find(job => !hasEnded(job) && readyNodes.has(job.metadata.labels?.[LABELS.node] ?? ''));
}

/** Of an operation that is over, or ours: only what is left around it. Its status is not touched. */
function settled({ rebootPods, op, wish, nodes }: Facts): Plan {
  const waiting = rebootPods.filter(isWaiting);
  if (waiting.length > 0) return { actions: waiting.map(deletion) };
  const isFormers = isFinal(op.status) && op.status?.startedAt === undefined;
  const cordoned =
    isFormers && op.status?.phase === 'Completed'
      ? nodes.flatMap(({ node }) => (node && wish && cordonMark(node) === wish.mark ? [node] : []))
      : [];
  return { actions: [...cordoned.map(node => ({ do: 'uncordon', node }) as const), ...finalizer(op)] };
}

/** So that its end is heard of; that its node will not be rebooted is settled. */
const adoption = (job: SeenJob): Action => ({
  do: 'adoptJob',
  job,
  node: job.metadata.labels?.[LABELS.node] ?? '',
  boot: '',
});

const deletion = (pod: SeenPod): Action => ({ do: 'deletePod', pod });

const finalizer = (op: Facts['op']): Action[] =>
  op.metadata.finalizers?.includes(FORMER_FINALIZER) ? [{ do: 'dropFinalizer' }] : [];
