/** Kubernetes objects → what the tour shows of them. */
import { CONTROL_PLANE_LABELS } from '../api/names.js';
import type { Json } from '../test/cluster/kubectl.js';
import type { PodSeen } from './budget.js';
import type { NodeSeen } from './snapshot.js';

export const nameOf = (object: Json): string => object.metadata?.name ?? '';

export const nodeSeen = (node: Json): NodeSeen => ({
  name: nameOf(node),
  controlPlane: CONTROL_PLANE_LABELS.some(label => node.metadata?.labels?.[label] !== undefined),
  version: node.metadata?.annotations?.['kairos.io/version'],
  schedulable: node.spec?.['unschedulable'] !== true,
  ready: isReady(node),
});

export const podSeen = (pod: Json): PodSeen => ({
  name: nameOf(pod),
  ready: isReady(pod),
  leaving: pod.metadata?.['deletionTimestamp'] !== undefined,
});

function isReady({ status }: Json): boolean {
  const conditions = (status?.['conditions'] ?? []) as readonly { type: string; status: string }[];
  return conditions.some(({ type, status: holds }) => type === 'Ready' && holds === 'True');
}
