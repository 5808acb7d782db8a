/** Was a Pod taken away, rather than that something in it failed? Then its work is worth another one. */
import type { SeenContainer, SeenPod } from '../seen.js';

/** The build ran into a limit of its own: another Pod would, too. */
const isOwnFault = ({ reason, message }: SeenPod['status']): boolean =>
  reason === 'DeadlineExceeded' || (reason === 'Evicted' && /exceeds|exceeded/.test(message ?? ''));

/** What a kubelet says of a container whose end it did not see: the node went away under it. */
const UNSEEN_ENDS: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);

const hasUnseenEnd = ({ state }: SeenContainer): boolean => UNSEEN_ENDS.has(state?.terminated?.reason ?? '');

/** What became of it, in words that go on from "the Pod"; undefined while it is not lost. */
export function lossOf({ metadata, spec, status }: SeenPod): string | undefined {
  const { phase, reason, message, conditions = [], initContainerStatuses = [], containerStatuses = [] } = status;
  const where = spec.nodeName === undefined ? '' : ` on node ${spec.nodeName}`;
  const disrupted = conditions.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  if (metadata.deletionTimestamp !== undefined)
    return `is being deleted${where}${disrupted?.message ? `: ${disrupted.message}` : ''}`;
  if (phase !== 'Failed' || isOwnFault(status)) return undefined;
  if (reason !== undefined) return `was ended${where}: ${reason}${message ? `: ${message}` : ''}`;
  if (disrupted) return `was ended${where}: ${disrupted.message ?? disrupted.reason ?? ''}`;
  if ([...initContainerStatuses, ...containerStatuses].some(hasUnseenEnd))
    return spec.nodeName === undefined ? 'was lost with its node' : `was lost with its node ${spec.nodeName}`;
  return undefined;
}
