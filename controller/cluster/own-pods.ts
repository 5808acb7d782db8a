/**
 * Pods that this operator, or the legacy one, has created. A label alone does not prove that: a workload that carries it, perhaps copied from
 * a manifest, would neither be evicted nor have its disruption budgets asked. The owner does, which has to be one of the kinds that create them.
 */
import { NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT } from '../../api/kinds.js';
import { CONTAINERS, LABELS } from '../../api/names.js';
import type { Resource } from '../../kube/kube.js';
import { controllerOf, ownerNameOf } from '../../kube/owner.js';
import { JOBS } from '../../kube/resources.js';
import { containerNamed, type CachedPod } from './pod.js';

const isCreatedBy = (kinds: readonly Resource[], label: string) => (pod: CachedPod) =>
  pod.metadata.labels?.[label] !== undefined && kinds.some(kind => ownerNameOf(kind, pod) !== undefined);

/** The Pod of a Job of any NodeOp, or a helper Pod. */
export const isPodOfNodeOp = isCreatedBy([JOBS, NODE_OP], LABELS.nodeOp);

/** Runs a command of a NodeOp whose Job was deleted without its Pods, or is a copy of such a Pod. */
export const isOrphanedCommand = (pod: CachedPod): boolean =>
  pod.metadata.labels?.[LABELS.nodeOp] !== undefined &&
  controllerOf(pod) === undefined &&
  containerNamed(pod, CONTAINERS.work) !== undefined;

/** Reads an image for an upgrade. */
export const isProbe = isCreatedBy([NODE_OP_UPGRADE], LABELS.probe);

/** Builds or exports an OSArtifact. */
export const isPodOfArtifact = isCreatedBy([JOBS, OS_ARTIFACT], LABELS.artifact);
