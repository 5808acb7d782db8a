/** Which nodes an operation would select if it started now; the controller selects by the same rules. */
import { CONTROL_PLANE_LABELS } from '../../api/names.js';
import { isVirtualNode } from '../../api/virtual-nodes.js';
import type { LabelSelector } from '../../kube/selector.js';
import { matches } from '../../kube/selector.js';
import type { NodeView, NodeViews, OperationView } from './cluster-view.js';

const isLinux = ({ metadata: { labels }, spec, status }: NodeView): boolean =>
  (labels?.['kubernetes.io/os'] ?? status?.nodeInfo?.operatingSystem) === 'linux' &&
  !isVirtualNode({ labels, taints: spec?.taints });

export const splitNodes = (nodes: readonly NodeView[]): NodeViews => ({
  linux: nodes.filter(isLinux),
  others: nodes.filter(node => !isLinux(node)),
});

export const isControlPlane = ({ metadata }: NodeView): boolean =>
  CONTROL_PLANE_LABELS.some(label => metadata.labels?.[label] !== undefined);

export const selectNodes = (selector: LabelSelector | undefined, nodes: readonly NodeView[]): NodeView[] =>
  nodes.filter(({ metadata }) => matches(selector ?? {}, metadata.labels));

const ENDED: readonly unknown[] = ['Completed', 'Failed'];

export const hasEnded = ({ status }: OperationView): boolean => ENDED.includes(status?.phase);

/** Names of the nodes that an operation has not finished yet: those in its status, or all that match before it has a status. */
export function unfinishedNodes(operation: OperationView, { linux }: NodeViews): string[] {
  if (hasEnded(operation)) return [];
  const { nodeStatuses } = operation.status ?? {};
  if (nodeStatuses !== undefined)
    return Object.keys(nodeStatuses).filter(name => !ENDED.includes(nodeStatuses[name]?.phase));
  return selectNodes(operation.spec?.nodeSelector, linux).map(({ metadata }) => metadata.name);
}
