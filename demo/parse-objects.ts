/** Extracts from Kubernetes objects the fields that the demo shows and checks. */
import { CONTROL_PLANE_LABELS } from '../api/names.js';
import type { Json } from '../test/cluster/kubectl.js';
import type { PodState } from './budget.js';
import type { NodeState } from './snapshot.js';

export const nameOf = (object: Json): string => object.metadata?.name ?? '';

export const parseNode = (node: Json): NodeState => ({
  name: nameOf(node),
  controlPlane: CONTROL_PLANE_LABELS.some(label => node.metadata?.labels?.[label] !== undefined),
  version: node.metadata?.annotations?.['kairos.io/version'],
  schedulable: node.spec?.['unschedulable'] !== true,
  ready: isReady(node),
});

export const parsePod = (pod: Json): PodState => ({
  name: nameOf(pod),
  ready: isReady(pod),
  terminating: pod.metadata?.['deletionTimestamp'] !== undefined,
});

function isReady({ status }: Json): boolean {
  const conditions = (status?.['conditions'] ?? []) as readonly { type: string; status: string }[];
  return conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True');
}
