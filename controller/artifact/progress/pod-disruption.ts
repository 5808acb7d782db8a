/** Was a Pod taken away, rather than that something in it failed? Then its work is worth another one. */
import type { ContainerStatus, CachedPod } from '../../cluster/pod.js';

/** The build ran into a limit of its own: another Pod would, too. */
const isOwnFault = ({ reason, message }: CachedPod['status']): boolean =>
  reason === 'DeadlineExceeded' || (reason === 'Evicted' && /exceeds|exceeded/.test(message ?? ''));

/** What a kubelet says of a container whose end it did not see: the node went away under it. */
const UNSEEN_ENDS: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);

const hasUnseenEnd = ({ state }: ContainerStatus): boolean => UNSEEN_ENDS.has(state?.terminated?.reason ?? '');

/** What the cluster did to it, in words that go on from "the Pod"; undefined while it did nothing. A deletion alone may be anybody's wish. */
export function takenAway({ spec, status }: CachedPod): string | undefined {
  const { phase, reason, message, conditions = [], initContainerStatuses = [], containerStatuses = [] } = status;
  const where = spec.nodeName === undefined ? '' : ` on node ${spec.nodeName}`;
  const disrupted = conditions.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  if (phase === 'Succeeded' || isOwnFault(status)) return undefined;
  if (disrupted) return `was ended${where}: ${disrupted.message ?? disrupted.reason ?? ''}`;
  if (phase !== 'Failed') return undefined;
  if (reason !== undefined) return `was ended${where}: ${reason}${message ? `: ${message}` : ''}`;
  if (![...initContainerStatuses, ...containerStatuses].some(hasUnseenEnd)) return undefined;
  return spec.nodeName === undefined ? 'was lost with its node' : `was lost with its node ${spec.nodeName}`;
}

/** What became of the builder Pod, in such words; undefined while it is not lost. */
export function disruptionOf(pod: CachedPod): string | undefined {
  const where = pod.spec.nodeName === undefined ? '' : ` on node ${pod.spec.nodeName}`;
  return pod.metadata.deletionTimestamp === undefined ? takenAway(pod) : `is being deleted${where}`;
}
