/** PodDisruptionBudgets as the controller's caches keep them: only the fields that the controller reads. */
import type { Stored } from '../../kube/kube.js';
import type { LabelSelector } from '../../kube/selector.js';
import { boundedText, isOversized } from './bounds.js';
import { pruneMetadata } from './metadata.js';

export interface CachedBudget extends Stored {
  spec: { selector?: LabelSelector; unhealthyPodEvictionPolicy?: string };
  status?: {
    disruptionsAllowed?: number;
    currentHealthy?: number;
    desiredHealthy?: number;
    observedGeneration?: number;
  };
}

export function pruneBudget({ metadata, spec, status }: CachedBudget): CachedBudget {
  const { disruptionsAllowed, currentHealthy, desiredHealthy, observedGeneration } = status ?? {};
  return {
    metadata: pruneMetadata(metadata),
    /* One that is too large to be kept counts as one that matches every Pod of its namespace: the budget is then asked too often. */
    spec: {
      selector: isOversized(spec.selector) ? {} : spec.selector,
      unhealthyPodEvictionPolicy: boundedText(spec.unhealthyPodEvictionPolicy, 64),
    },
    status: { disruptionsAllowed, currentHealthy, desiredHealthy, observedGeneration },
  };
}
