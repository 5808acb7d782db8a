/** Nodes as the controller's caches keep them: only the fields that the controller reads. */
import { isVirtualNode } from '../../api/virtual-nodes.js';
import type { Stored } from '../../kube/kube.js';
import { KEPT_ANNOTATIONS } from './kept-annotations.js';
import { pruneMetadata } from './metadata.js';

export interface Taint {
  key: string;
  value?: string;
  effect?: string;
}

export interface CachedNode extends Stored {
  spec?: { unschedulable?: boolean; taints?: readonly Taint[] };
  status?: {
    /** Without their times, which kubelet and kube-controller-manager write by clocks of their own. */
    conditions?: readonly { type: string; status: string }[];
    nodeInfo?: {
      bootID?: string;
      systemUUID?: string;
      machineID?: string;
      architecture?: string;
      operatingSystem?: string;
      kubeletVersion?: string;
    };
    images?: readonly { names?: readonly string[] }[];
  };
}

export function pruneNode({ metadata, spec, status }: CachedNode): CachedNode {
  const { bootID, systemUUID, machineID, architecture, operatingSystem, kubeletVersion } = status?.nodeInfo ?? {};
  return {
    /* All labels, since selectors match them; tenants may not write Nodes. */
    metadata: { ...pruneMetadata(metadata, KEPT_ANNOTATIONS), labels: metadata.labels },
    spec: {
      unschedulable: spec?.unschedulable,
      taints: spec?.taints?.map(({ key, value, effect }) => ({ key, value, effect })),
    },
    status: {
      conditions: status?.conditions
        ?.filter(condition => condition.type === 'Ready')
        .map(({ type, status: value }) => ({ type, status: value })),
      nodeInfo: { bootID, systemUUID, machineID, architecture, operatingSystem, kubeletVersion },
      images: status?.images?.map(({ names }) => ({ names })),
    },
  };
}

export const isReady = (node: CachedNode | undefined): boolean =>
  node?.status?.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') ?? false;

/** Has a Ready condition that is not true; a node that was just registered has none yet. */
export const isNotReady = (node: CachedNode | undefined): boolean =>
  node?.status?.conditions?.some(condition => condition.type === 'Ready' && condition.status !== 'True') ?? false;

export const isCordoned = (node: CachedNode | undefined): boolean => node?.spec?.unschedulable === true;

export const bootIdOf = (node: CachedNode | undefined): string | undefined => node?.status?.nodeInfo?.bootID;

/** Names of the images that the kubelet lists. */
export const imagesOf = (node: CachedNode | undefined): string[] =>
  node?.status?.images?.flatMap(image => image.names ?? []) ?? [];

/** Whether there is a Linux host behind the node; virtual nodes have none. */
export const isLinux = ({ metadata: { labels }, spec, status }: CachedNode): boolean =>
  (labels?.['kubernetes.io/os'] ?? status?.nodeInfo?.operatingSystem) === 'linux' &&
  !isVirtualNode({ labels, taints: spec?.taints });
