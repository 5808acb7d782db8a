/** The disruption controller: how many Pods of a budget may be spared at the moment. */
import { PDBS, PODS } from '../../../kube/resources.js';
import { matches } from '../../../kube/selector.js';
import { actor } from './actor.js';
import type { Api } from './api.js';
import { type BudgetObject, isOver, isReady, type PodObject } from './kinds.js';

export function keepBudgets(api: Api): void {
  const keeper = actor(api.clock, 120, () => {
    const pods = api.all<PodObject>(PODS);
    for (const budget of api.all<BudgetObject>(PDBS)) api.put(PDBS, { ...budget, status: statusOf(budget, pods) });
    return undefined;
  });
  api.onChange(plural => (plural === PODS.plural || plural === PDBS.plural) && keeper.poke());
}

function statusOf({ metadata, spec, status }: BudgetObject, pods: readonly PodObject[]): BudgetObject['status'] {
  const own = pods.filter(
    pod => pod.metadata.namespace === metadata.namespace && matches(spec.selector, pod.metadata.labels) && !isOver(pod),
  );
  /* Told to leave and not yet seen to: not healthy any more. */
  const disrupted = Object.entries(status?.disruptedPods ?? {}).filter(([name]) =>
    own.some(pod => pod.metadata.name === name && pod.metadata.deletionTimestamp === undefined),
  );
  const names = new Set(disrupted.map(([name]) => name));
  const healthy = own.filter(pod => isReady(pod) && !names.has(pod.metadata.name)).length;
  const desired = spec.minAvailable ?? own.length - (spec.maxUnavailable ?? 0);
  return {
    disruptionsAllowed: Math.max(healthy - desired, 0),
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: own.length,
    observedGeneration: metadata.generation ?? 1,
    disruptedPods: Object.fromEntries(disrupted),
  };
}
