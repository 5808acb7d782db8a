/** The result of the upgrade: which checks failed, and how long each step took. */
import { STEP_NAMES } from '../api/node-status.js';
import type { NodeStatus } from '../api/node-status.js';
import type { NodeOpUpgradeStatus } from '../api/nodeop-upgrade.js';
import type { BudgetReport } from './budget.js';
import type { NodeState } from './snapshot.js';
import { seconds, table } from './table.js';

/** The nodes and the boot counts of their machines, before or after the upgrade. */
export interface Fleet {
  nodes: readonly NodeState[];
  boots: Readonly<Record<string, number>>;
}

export interface Outcome {
  before: Fleet;
  after: Fleet;
  upgrade: NodeOpUpgradeStatus;
  /** The version that every node must run afterwards. */
  targetVersion: string;
  /** Output and success of `kubectl wait --for=condition=Complete`. */
  wait: { ok: boolean; output: string };
  /** Absent with a single node: its Pods cannot move elsewhere, so the budget cannot be kept. */
  budget?: BudgetReport;
  /** From applying the upgrade until its phase was final. */
  durationMs: number;
}

/** One sentence for each failed check. */
export function failures({ before, after, targetVersion, wait, budget, upgrade }: Outcome): string[] {
  return [
    ...(wait.ok ? [] : [`The upgrade is not complete: ${upgrade.message ?? wait.output}`]),
    ...before.nodes.flatMap(node => nodeFailures(node.name, { before, after, targetVersion })),
    ...(budget === undefined ? [] : budgetFailures(budget)),
  ];
}

function nodeFailures(
  name: string,
  { before, after, targetVersion }: Pick<Outcome, 'before' | 'after' | 'targetVersion'>,
): string[] {
  const node = after.nodes.find(other => other.name === name);
  if (node === undefined) return [`${name} no longer exists.`];
  const boots = (after.boots[name] ?? 0) - (before.boots[name] ?? 0);
  return [
    ...(node.version === targetVersion
      ? []
      : [`${name} runs ${node.version ?? 'an unknown version'}, not ${targetVersion}.`]),
    ...(boots === 1 ? [] : [`${name} was booted ${boots} times, not once.`]),
    ...(node.schedulable ? [] : [`${name} is still cordoned.`]),
    ...(node.ready ? [] : [`${name} is not Ready.`]),
  ];
}

function budgetFailures({ violations, checks }: BudgetReport): string[] {
  if (checks === 0) return ['The disruption budget was never checked.'];
  return violations.length === 0
    ? []
    : [`The disruption budget was violated ${violations.length} times, first at ${violations[0]}.`];
}

/** Milliseconds that a node spent in each step, in the order in which the steps run. A step that has not ended is left out. */
export function stepDurations({
  stepTimes = {},
  completedAt,
}: Pick<NodeStatus, 'stepTimes' | 'completedAt'>): Map<string, number> {
  const starts = STEP_NAMES.flatMap(step => {
    const at = stepTimes[step];
    return at === undefined ? [] : [{ step, at: Date.parse(at) }];
  });
  const end = completedAt === undefined ? undefined : Date.parse(completedAt);
  const durations = starts.map(({ step, at }, position): [string, number | undefined] => {
    const next = starts[position + 1]?.at ?? end;
    return [step, next === undefined ? undefined : Math.max(0, next - at)];
  });
  return new Map(durations.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** One row per step, one column per node, and the total of each node in the last row. */
export function stepTable(upgrade: NodeOpUpgradeStatus, names: readonly string[]): string[] {
  const columns = names.map(name => stepDurations(upgrade.nodeStatuses?.[name] ?? {}));
  const steps = STEP_NAMES.filter(step => columns.some(column => column.has(step)));
  const rows = steps.map(step => [step, ...columns.map(column => seconds(column.get(step)))]);
  const totals = columns.map(column => seconds([...column.values()].reduce((sum, ms) => sum + ms, 0)));
  return table([['STEP', ...names], ...rows, ['total', ...totals]]);
}

/** What is printed when the upgrade is over. */
export function summaryLines(outcome: Outcome): string[] {
  const { before, after, upgrade, budget } = outcome;
  const failed = failures(outcome);
  const names = before.nodes.map(node => node.name);
  return [
    ...stepTable(upgrade, names),
    '',
    ...table([['NODE', 'BEFORE', 'AFTER', 'BOOTS', 'SCHEDULABLE'], ...names.map(name => nodeRow(name, before, after))]),
    '',
    `kubectl wait: ${outcome.wait.output}`,
    budget === undefined
      ? 'disruption budget: not checked, because the Pods of a single node cannot move to another one'
      : budgetLine(budget),
    `duration of the upgrade: ${seconds(outcome.durationMs)}`,
    ...(failed.length === 0
      ? ['All checks passed.']
      : ['These checks failed:', ...failed.map(failure => `- ${failure}`)]),
  ];
}

function nodeRow(name: string, before: Fleet, after: Fleet): string[] {
  const [old, now] = [before, after].map(fleet => fleet.nodes.find(node => node.name === name));
  const boots = (after.boots[name] ?? 0) - (before.boots[name] ?? 0);
  return [name, old?.version ?? '?', now?.version ?? '?', `+${boots}`, now?.schedulable === true ? 'yes' : 'no'];
}

const budgetLine = ({ checks, fewestReady, violations }: BudgetReport): string =>
  `disruption budget: checked ${checks} times, at least ${fewestReady ?? '?'} Pods ready, ${violations.length} violations`;
