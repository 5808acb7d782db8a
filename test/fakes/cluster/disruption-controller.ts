/** The disruption controller: writes into the status of each PodDisruptionBudget how many disruptions it allows. */
import { PDBS, PODS } from '../../../kube/resources.js';
import { matches } from '../../../kube/selector.js';
import { controlLoop } from './control-loop.js';
import type { FakeApiServer } from './api-server.js';
import { type BudgetObject, isFinished, isPodReady, type PodObject } from './object-types.js';

export function runDisruptionController(api: FakeApiServer): void {
  const loop = controlLoop(api.clock, 120, () => {
    const pods = api.all<PodObject>(PODS);
    for (const budget of api.all<BudgetObject>(PDBS)) api.put(PDBS, { ...budget, status: statusOf(budget, pods) });
    return undefined;
  });
  api.onChange(plural => (plural === PODS.plural || plural === PDBS.plural) && loop.trigger());
}

function statusOf({ metadata, spec, status }: BudgetObject, pods: readonly PodObject[]): BudgetObject['status'] {
  const own = pods.filter(
    pod =>
      pod.metadata.namespace === metadata.namespace && matches(spec.selector, pod.metadata.labels) && !isFinished(pod),
  );
  /* A Pod whose eviction was granted, but which is not terminating yet, no longer counts as healthy. */
  const disrupted = Object.entries(status?.disruptedPods ?? {}).filter(([name]) =>
    own.some(pod => pod.metadata.name === name && pod.metadata.deletionTimestamp === undefined),
  );
  const names = new Set(disrupted.map(([name]) => name));
  const healthy = own.filter(pod => isPodReady(pod) && !names.has(pod.metadata.name)).length;
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
