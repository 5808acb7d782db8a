/** PodDisruptionBudgets as the controller's caches keep them: only the fields that the controller reads. */
import type { Stored } from '../../kube/kube.js';
import type { LabelSelector } from '../../kube/selector.js';
import { pruneMetadata } from './metadata.js';

export interface CachedBudget extends Stored {
  spec: { selector?: LabelSelector };
  status?: { disruptionsAllowed?: number };
}

export const pruneBudget = (budget: CachedBudget): CachedBudget => ({
  metadata: pruneMetadata(budget.metadata, () => false),
  spec: { selector: budget.spec.selector },
  status: { disruptionsAllowed: budget.status?.disruptionsAllowed },
});
