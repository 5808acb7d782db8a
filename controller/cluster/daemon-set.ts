/** DaemonSets as the controller's caches keep them, and whether one of them wants a pod on a node as the node is now. Pure. */
import type { Stored } from '../../kube/kube.js';
import { isOversized } from './bounds.js';
import { pruneMetadata } from './metadata.js';
import type { CachedNode, Taint } from './node.js';
import { matchesNodeAffinity, type NodeSelectorTerm } from './node-affinity.js';
import { isTolerated, type Toleration } from './tolerations.js';

export interface CachedDaemonSet extends Stored {
  spec?: {
    template?: {
      spec?: {
        nodeName?: string;
        nodeSelector?: Readonly<Record<string, string>>;
        affinity?: {
          nodeAffinity?: {
            requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: readonly NodeSelectorTerm[] };
          };
        };
        tolerations?: readonly Toleration[];
      };
    };
  };
}

/** A DaemonSet whose rules are too large to be kept counts as one that wants no node, so that its pods are not waited for after a reboot. */
const NO_NODE = '/';

/** Of the template, only what decides about nodes: the rest may be large. */
export function pruneDaemonSet({ metadata, spec }: CachedDaemonSet): CachedDaemonSet {
  const template = spec?.template?.spec ?? {};
  const required = template.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const { nodeName, nodeSelector, tolerations } = template;
  if (isOversized([nodeName, nodeSelector, tolerations, required]))
    return { metadata: pruneMetadata(metadata), spec: { template: { spec: { nodeName: NO_NODE } } } };
  return {
    metadata: pruneMetadata(metadata),
    spec: {
      template: {
        spec: {
          nodeName,
          nodeSelector,
          affinity: required && { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
          tolerations,
        },
      },
    },
  };
}

/**
 * As the DaemonSet controller decides: by node name, selector, required affinity and taints. A taint NoSchedule does not end a pod that is
 * on the node already. A DaemonSet that is being deleted wants no pod.
 */
export function wantsPodOn(
  { metadata, spec }: CachedDaemonSet,
  node: CachedNode,
  { hasPod }: { hasPod: boolean },
): boolean {
  const { nodeName, nodeSelector = {}, affinity, tolerations = [] } = spec?.template?.spec ?? {};
  const { name, labels = {} } = node.metadata;
  const isSelected =
    metadata.deletionTimestamp === undefined &&
    (nodeName === undefined || nodeName === '' || nodeName === name) &&
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) &&
    matchesNodeAffinity(affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution, node);
  const effects = hasPod ? ['NoExecute'] : ['NoExecute', 'NoSchedule'];
  return isSelected && lastingTaints(node, effects).every(taint => isTolerated(taint, tolerations));
}

/**
 * Taints that the cluster itself sets and removes with the state of a node. The DaemonSet controller tolerates most of them; the others
 * pass by soon after a boot, and must not make a node count as well before its pods are back.
 */
const isOfCluster = ({ key }: Taint): boolean =>
  key.startsWith('node.kubernetes.io/') || key === 'node.cloudprovider.kubernetes.io/uninitialized';

const lastingTaints = ({ spec }: CachedNode, effects: readonly string[]): Taint[] =>
  (spec?.taints ?? []).filter(taint => effects.includes(taint.effect ?? '') && !isOfCluster(taint));
