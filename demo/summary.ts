/** How the upgrade ended: what must hold, what does not, and where the time went. */
import { STEP_NAMES } from '../api/node-status.js';
import type { NodeStatus } from '../api/node-status.js';
import type { NodeOpUpgradeStatus } from '../api/nodeop-upgrade.js';
import type { Verdict } from './budget.js';
import type { NodeSeen } from './snapshot.js';
import { seconds, table } from './table.js';

/** The machines and their nodes, before or after. */
export interface Fleet {
  nodes: readonly NodeSeen[];
  boots: Readonly<Record<string, number>>;
}

export interface Outcome {
  before: Fleet;
  after: Fleet;
  upgrade: NodeOpUpgradeStatus;
  /** The version that was asked for. */
  wanted: string;
  /** What `kubectl wait --for=condition=Complete` said, and whether it was content. */
  wait: { ok: boolean; words: string };
  /** Absent where a budget cannot hold: with one node there is nowhere to go. */
  budget?: Verdict;
  /** From applying the upgrade to its end, as the tour saw it. */
  tookMs: number;
}

/** One sentence for each thing that does not hold; none when all is well. */
export function faults({ before, after, wanted, wait, budget, upgrade }: Outcome): string[] {
  return [
    ...(wait.ok ? [] : [`The upgrade is not complete: ${upgrade.message ?? wait.words}`]),
    ...before.nodes.flatMap(node => nodeFaults(node.name, { before, after, wanted })),
    ...(budget === undefined ? [] : budgetFaults(budget)),
  ];
}

function nodeFaults(name: string, { before, after, wanted }: Pick<Outcome, 'before' | 'after' | 'wanted'>): string[] {
  const node = after.nodes.find(other => other.name === name);
  if (node === undefined) return [`${name} is gone.`];
  const boots = (after.boots[name] ?? 0) - (before.boots[name] ?? 0);
  return [
    ...(node.version === wanted ? [] : [`${name} runs ${node.version ?? 'an unknown version'}, not ${wanted}.`]),
    ...(boots === 1 ? [] : [`${name} was booted ${boots} times, not once.`]),
    ...(node.schedulable ? [] : [`${name} is still cordoned.`]),
    ...(node.ready ? [] : [`${name} is not Ready.`]),
  ];
}

function budgetFaults({ violations, looks }: Verdict): string[] {
  if (looks === 0) return ['The budget was never looked at.'];
  return violations.length === 0
    ? []
    : [`The budget was broken ${violations.length} times, first at ${violations[0]}.`];
}

/** Milliseconds that a node spent in each step, in the order of the walk. */
export function stepLengths({
  stepTimes = {},
  completedAt,
}: Pick<NodeStatus, 'stepTimes' | 'completedAt'>): Map<string, number> {
  const begins = STEP_NAMES.flatMap(step => {
    const at = stepTimes[step];
    return at === undefined ? [] : [{ step, at: Date.parse(at) }];
  });
  const end = completedAt === undefined ? undefined : Date.parse(completedAt);
  const lengths = begins.map(({ step, at }, position): [string, number | undefined] => {
    const next = begins[position + 1]?.at ?? end;
    return [step, next === undefined ? undefined : Math.max(0, next - at)];
  });
  return new Map(lengths.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** Steps down, nodes across, the whole of each node at the bottom. */
export function stepTable(upgrade: NodeOpUpgradeStatus, names: readonly string[]): string[] {
  const columns = names.map(name => stepLengths(upgrade.nodeStatuses?.[name] ?? {}));
  const steps = STEP_NAMES.filter(step => columns.some(column => column.has(step)));
  const rows = steps.map(step => [step, ...columns.map(column => seconds(column.get(step)))]);
  const sums = columns.map(column => seconds([...column.values()].reduce((sum, ms) => sum + ms, 0)));
  return table([['STEP', ...names], ...rows, ['all', ...sums]]);
}

/** The end of the tour, line by line. */
export function summaryLines(outcome: Outcome): string[] {
  const { before, after, upgrade, budget } = outcome;
  const found = faults(outcome);
  const names = before.nodes.map(node => node.name);
  return [
    ...stepTable(upgrade, names),
    '',
    ...table([['NODE', 'BEFORE', 'AFTER', 'BOOTS', 'SCHEDULABLE'], ...names.map(name => fate(name, before, after))]),
    '',
    `kubectl wait: ${outcome.wait.words}`,
    budget === undefined ? 'budget: not watched; with one node there is nowhere to go' : budgetWords(budget),
    `from apply to the end: ${seconds(outcome.tookMs)}`,
    ...(found.length === 0 ? ['All of it holds.'] : ['This does not hold:', ...found.map(fault => `- ${fault}`)]),
  ];
}

function fate(name: string, before: Fleet, after: Fleet): string[] {
  const [old, now] = [before, after].map(fleet => fleet.nodes.find(node => node.name === name));
  const boots = (after.boots[name] ?? 0) - (before.boots[name] ?? 0);
  return [name, old?.version ?? '?', now?.version ?? '?', `+${boots}`, now?.schedulable === true ? 'yes' : 'no'];
}

const budgetWords = ({ looks, fewest, violations }: Verdict): string =>
  `budget: ${looks} looks, never fewer than ${fewest ?? '?'} Pods answered, ${violations.length} violations`;
