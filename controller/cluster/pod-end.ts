/** How a Pod ended that did not end by its own containers, in the words of the kubelet or of whatever ended it. */
import { containerNamed, ownContainersOf, type CachedPod, type ContainerStatus } from './pod.js';

/** Reasons of a kubelet for a container whose end it did not observe, because the node went down. */
const UNOBSERVED_ENDS: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);

const disruptionOf = ({ status }: CachedPod) =>
  status.conditions?.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');

/** The kubelet rejected or ended the Pod, the node went down, or something deleted it: its exit codes say nothing about its commands. */
export const isDisrupted = (pod: CachedPod): boolean =>
  pod.metadata.deletionTimestamp !== undefined ||
  pod.status.reason !== undefined ||
  disruptionOf(pod) !== undefined ||
  ownContainersOf(pod).some(({ state }) => UNOBSERVED_ENDS.has(state?.terminated?.reason ?? ''));

/** Undefined when nothing but its containers ended the Pod. */
export function endCause(pod: CachedPod): string | undefined {
  const { reason, message } = pod.status;
  const disruption = disruptionOf(pod);
  const words = [reason, message].filter(Boolean).join(': ');
  return words === '' ? (disruption?.message ?? disruption?.reason) : words;
}

/** Has a state that only a container has which was started. */
export const hasRun = (container: ContainerStatus | undefined): boolean =>
  container?.state?.running !== undefined ||
  container?.state?.terminated !== undefined ||
  (container?.restartCount ?? 0) > 0;

/** Failed, and this container of ours has never been started. */
export const isRejected = (pod: CachedPod, container: string): boolean =>
  pod.status.phase === 'Failed' && !hasRun(containerNamed(pod, container));
