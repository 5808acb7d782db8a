/**
 * Pods that this operator, or the legacy one, has created. A label alone does not prove that: a workload that carries it, perhaps copied from
 * a manifest, would neither be evicted nor have its disruption budgets asked.
 */
import { NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import { controllerOf } from '../../kube/owner.js';
import { JOBS } from '../../kube/resources.js';
import type { CachedPod } from './pod.js';

/** A Pod that lost its controller, for example one whose Job was deleted without its Pods, still counts. */
const isCreatedBy = (kinds: readonly string[], label: string) => (pod: CachedPod) => {
  if (pod.metadata.labels?.[label] === undefined) return false;
  const controller = controllerOf(pod);
  return controller === undefined || kinds.includes(controller.kind);
};

/** The Pod of a Job of any NodeOp, or a helper Pod. */
export const isPodOfNodeOp = isCreatedBy([JOBS.kind, NODE_OP.kind], LABELS.nodeOp);

/** Reads an image for an upgrade. */
export const isProbe = isCreatedBy([NODE_OP_UPGRADE.kind], LABELS.probe);

/** Builds or exports an OSArtifact. */
export const isPodOfArtifact = isCreatedBy([JOBS.kind, OS_ARTIFACT.kind], LABELS.artifact);
