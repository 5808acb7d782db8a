/**
 * Whether the disruption budgets allow that pods go down with their node without being evicted first. The answer is the one that the
 * Eviction API would give to an eviction of these pods, one after the other.
 */
import { matches } from '../../../kube/selector.js';
import type { CachedBudget } from '../../cluster/budget.js';
import { isPodReady, type CachedPod } from '../../cluster/pod.js';
import { podName } from './drainable-pods.js';

/** Why the pods may not go down, a text per pod whose eviction would be refused. */
export function budgetRefusals(pods: readonly CachedPod[], budgets: readonly CachedBudget[]): string[] {
  /* Each disruption uses up one of those that the budget allows, by its uid. */
  const used = new Map<string, number>();
  return pods.filter(needsBudget).flatMap(pod => refusalOf(pod, budgetsOf(pod, budgets), used) ?? []);
}

/** A pod that does not run yet, has finished or is terminating is disrupted already. */
const needsBudget = ({ metadata, status }: CachedPod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status.phase !== 'Pending' &&
  status.phase !== 'Succeeded' &&
  status.phase !== 'Failed';

/** An empty selector matches every pod of the namespace, an absent one none. */
const budgetsOf = (pod: CachedPod, budgets: readonly CachedBudget[]): CachedBudget[] =>
  budgets
    .filter(budget => budget.metadata.namespace === pod.metadata.namespace)
    .filter(({ spec: { selector } }) => selector !== undefined && matches(selector, pod.metadata.labels));

function refusalOf(
  pod: CachedPod,
  [budget, ...more]: readonly CachedBudget[],
  used: Map<string, number>,
): string | undefined {
  if (budget === undefined) return undefined;
  const { name, uid } = budget.metadata;
  if (more.length > 0) {
    const names = [name, ...more.map(each => each.metadata.name)].join(', ');
    return `${podName(pod)} stays and has more than one budget (${names}), so that its eviction would be refused`;
  }
  if (!isPodReady(pod) && allowsUnhealthy(budget)) return undefined;
  if (!isCurrent(budget)) return `${podName(pod)} stays and the status of budget ${name} is not up to date`;
  const count = used.get(uid) ?? 0;
  if ((budget.status?.disruptionsAllowed ?? 0) <= count)
    return `${podName(pod)} stays and budget ${name} allows no ${count > 0 ? 'further ' : ''}disruption`;
  used.set(uid, count + 1);
  return undefined;
}

/** A pod that is not Ready does not count as healthy, so that its disruption costs nothing while the others suffice. */
function allowsUnhealthy({ spec, status }: CachedBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

/** Whether the disruption controller has seen the latest change of the budget. */
const isCurrent = ({ metadata: { generation = 0 }, status }: CachedBudget): boolean =>
  (status?.observedGeneration ?? 0) >= generation;
