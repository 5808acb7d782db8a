/** Why a kubelet does not start a Pod, or ends one: the reasons and words of Kubernetes 1.31 and later. */
import { selectsNode } from './node-fit.js';
import { isFinished, type NodeObject, type PodObject } from './object-types.js';
import type { EndReason } from './pod-worker.js';

const rejection = (reason: string, words: string): EndReason => ({ reason, message: `Pod was rejected: ${words}` });

/** No container of a rejected Pod ever ran: it has no container statuses. */
export const REJECTIONS = {
  OutOfpods: rejection('OutOfpods', "Node didn't have enough resource: pods, requested: 1, used: 110, capacity: 110"),
  OutOfcpu: rejection('OutOfcpu', "Node didn't have enough resource: cpu, requested: 500, used: 1800, capacity: 2000"),
  NodeAffinity: rejection(
    'NodeAffinity',
    "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  ),
  NodeShutdown: rejection('NodeShutdown', 'Pod was rejected as the node is shutting down.'),
  Evicted: rejection('Evicted', 'The node had condition: [MemoryPressure]. '),
} as const;

/** A Pod that the kubelet ends gets the condition DisruptionTarget and exit code 137 for each container that ran. */
export const ENDINGS = {
  Terminated: { reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' },
  Evicted: {
    reason: 'Evicted',
    message: 'The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 512Mi. ',
  },
  Preempting: { reason: 'Preempting', message: 'Preempted in order to admit critical pod' },
} as const satisfies Record<string, EndReason>;

const isCritical = ({ spec }: PodObject) => /^system-(node|cluster)-critical$/.test(spec.priorityClassName ?? '');
const isStatic = ({ metadata }: PodObject) => metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;

interface Verdict {
  rejected?: EndReason;
  /** Ended so that a critical Pod fits; the kubelet asks no budget. */
  preempted?: PodObject;
}

/** Decides about a new Pod as the kubelet does: selector first, then room; a critical Pod makes room for itself. */
export function admit(pod: PodObject, node: NodeObject, running: readonly PodObject[]): Verdict {
  if (!selectsNode(pod.spec, node)) return { rejected: REJECTIONS.NodeAffinity };
  const capacity = Number(node.status.allocatable?.pods ?? Infinity);
  const others = running.filter(each => each.metadata.uid !== pod.metadata.uid && !isFinished(each));
  if (others.length < capacity) return {};
  const victim = isCritical(pod) ? others.find(each => !isCritical(each) && !isStatic(each)) : undefined;
  if (victim) return { preempted: victim };
  const words = `Node didn't have enough resource: pods, requested: 1, used: ${others.length}, capacity: ${capacity}`;
  return { rejected: rejection('OutOfpods', words) };
}
