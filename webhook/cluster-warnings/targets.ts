/** Which nodes a wish would reach if it began now; the controller chooses by the same rules. */
import { CONTROL_PLANE_LABELS } from '../../api/names.js';
import type { LabelSelector } from '../../kube/selector.js';
import { matches } from '../../kube/selector.js';
import type { Nodes, SeenNode, SeenOperation } from './view.js';

const isLinux = ({ metadata, status }: SeenNode): boolean =>
  (metadata.labels?.['kubernetes.io/os'] ?? status?.nodeInfo?.operatingSystem) === 'linux' &&
  metadata.labels?.type !== 'virtual-kubelet';

export const splitNodes = (nodes: readonly SeenNode[]): Nodes => ({
  linux: nodes.filter(isLinux),
  others: nodes.filter(node => !isLinux(node)),
});

export const isControlPlane = ({ metadata }: SeenNode): boolean =>
  CONTROL_PLANE_LABELS.some(label => metadata.labels?.[label] !== undefined);

export const selected = (selector: LabelSelector | undefined, nodes: readonly SeenNode[]): SeenNode[] =>
  nodes.filter(({ metadata }) => matches(selector ?? {}, metadata.labels));

const ENDED: readonly unknown[] = ['Completed', 'Failed'];

export const hasEnded = ({ status }: SeenOperation): boolean => ENDED.includes(status?.phase);

/** Names of the nodes that an operation under way has still to do with. */
export function held(operation: SeenOperation, { linux }: Nodes): string[] {
  if (hasEnded(operation)) return [];
  const { nodeStatuses } = operation.status ?? {};
  if (nodeStatuses !== undefined)
    return Object.keys(nodeStatuses).filter(name => !ENDED.includes(nodeStatuses[name]?.phase));
  return selected(operation.spec?.nodeSelector, linux).map(({ metadata }) => metadata.name);
}
