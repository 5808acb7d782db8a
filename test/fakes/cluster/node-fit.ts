/** Whether a node is one that a Pod may run on: selector, affinity and taints, for the fake DaemonSet controller, scheduler and kubelet. */
import { matches } from '../../../kube/selector.js';
import type { NodeObject, PodSpec, Taint, Toleration } from './object-types.js';

/** Node selector and required node affinity; the terms of an affinity are alternatives. */
export function selectsNode({ nodeSelector, affinity }: PodSpec, { metadata: { labels } }: NodeObject): boolean {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return matches({ matchLabels: nodeSelector }, labels) && (terms?.some(term => matches(term, labels)) ?? true);
}

function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some(
    ({ key, operator = 'Equal', value = '', effect }) =>
      (effect === undefined || effect === taint.effect) &&
      (key === undefined ? operator === 'Exists' : key === taint.key) &&
      (operator === 'Exists' || value === (taint.value ?? '')),
  );
}

/** `PreferNoSchedule` keeps nothing away. */
export const toleratesTaints = ({ tolerations = [] }: PodSpec, { spec: { taints = [] } }: NodeObject): boolean =>
  taints.every(taint => taint.effect === 'PreferNoSchedule' || isTolerated(taint, tolerations));

/** What the DaemonSet controller adds to every Pod, so that it also runs on nodes that are cordoned or in trouble. */
export const DAEMON_TOLERATIONS: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
