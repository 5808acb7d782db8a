/** The eviction API: deletes a Pod only if its PodDisruptionBudget allows the disruption. */
import { KubeError } from '../../../kube/errors.js';
import type { Eviction, Name } from '../../../kube/kube.js';
import { PDBS, PODS } from '../../../kube/resources.js';
import { matches } from '../../../kube/selector.js';
import type { FakeApiServer } from './api-server.js';
import { type BudgetObject, isFinished, type PodObject } from './object-types.js';

/** A Pod that does not run yet, or is finished or terminating, uses no budget. */
const needsNoBudget = (pod: PodObject) =>
  isFinished(pod) || pod.status.phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;

export function evict(api: FakeApiServer, at: Name, { uid, gracePeriodSeconds }: Eviction): void {
  const denied = api.admission({ verb: 'evict', plural: PODS.plural, name: at.name });
  if (denied) throw denied;
  const pod = api.get<PodObject>(PODS, at);
  if (uid !== pod.metadata.uid) throw new KubeError(409, `the uid of pod ${at.name} differs`, 'Conflict');
  if (!needsNoBudget(pod)) consumeBudget(api, pod);
  const disruption = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };
  api.delete(PODS, at, { uid, gracePeriodSeconds, disruption });
}

function consumeBudget(api: FakeApiServer, pod: PodObject): void {
  const budgets = api
    .all<BudgetObject>(PDBS)
    .filter(({ metadata }) => metadata.namespace === pod.metadata.namespace)
    .filter(({ spec }) => matches(spec.selector, pod.metadata.labels));
  const [budget] = budgets;
  if (budget === undefined) return;
  if (budgets.length > 1)
    throw new KubeError(
      500,
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  const { status, metadata } = budget;
  const known = status !== undefined && status.observedGeneration >= (metadata.generation ?? 1);
  if (!known || status.disruptionsAllowed < 1) throw budgetExhausted(metadata.name, known ? undefined : 10);
  const disruptedPods = { ...status.disruptedPods, [pod.metadata.name]: api.clock.now().toISOString() };
  api.put(PDBS, { ...budget, status: { ...status, disruptedPods, disruptionsAllowed: status.disruptionsAllowed - 1 } });
}

function budgetExhausted(name: string, retryAfterSeconds: number | undefined): KubeError {
  const message = `The disruption budget ${name} needs more healthy pods than there would be`;
  const causes = [{ reason: 'DisruptionBudget', message }];
  const summary = "Cannot evict pod as it would violate the pod's disruption budget.";
  return new KubeError(429, summary, 'TooManyRequests', { causes, retryAfterSeconds });
}
