/** Distinguishes Pods that were taken away, and are worth replacing, from Pods in which something failed. */
import type { CachedPod, ContainerStatus } from '../../cluster/pod.js';

/** The Pod exceeded a limit of its own, as another Pod would. The kubelet has no reason for it apart from its message. */
const exceededOwnLimit = ({ reason, message }: CachedPod['status']): boolean =>
  reason === 'DeadlineExceeded' || (reason === 'Evicted' && /exceeds|exceeded/.test(message ?? ''));

/** Reasons that a kubelet gives for a container whose end it did not observe, because the node went down. */
const UNOBSERVED_ENDS: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);

const hasUnobservedEnd = ({ state }: ContainerStatus): boolean => UNOBSERVED_ENDS.has(state?.terminated?.reason ?? '');

/** What the cluster did to a Pod, as the rest of a sentence about it; undefined if nothing. A deletion alone is no disruption: the user may have deleted it. */
export function disruptionReason({ spec, status }: CachedPod): string | undefined {
  const { phase, reason, message, conditions = [], initContainerStatuses = [], containerStatuses = [] } = status;
  const where = spec.nodeName === undefined ? '' : ` on node ${spec.nodeName}`;
  const disruption = conditions.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  if (phase === 'Succeeded' || exceededOwnLimit(status)) return undefined;
  if (disruption) return `was ended${where}: ${disruption.message ?? disruption.reason ?? ''}`;
  if (phase !== 'Failed') return undefined;
  if (reason !== undefined) return `was ended${where}: ${reason}${message ? `: ${message}` : ''}`;
  if (![...initContainerStatuses, ...containerStatuses].some(hasUnobservedEnd)) return undefined;
  return spec.nodeName === undefined ? 'was lost with its node' : `was lost with its node ${spec.nodeName}`;
}

/** Why the builder Pod is lost, as the rest of a sentence about it; undefined if it is not. */
export function lossReason(pod: CachedPod): string | undefined {
  const where = pod.spec.nodeName === undefined ? '' : ` on node ${pod.spec.nodeName}`;
  return pod.metadata.deletionTimestamp === undefined ? disruptionReason(pod) : `is being deleted${where}`;
}
