/** Was the builder Pod taken away, rather than that a step of it failed? Then the build is worth another Pod. */
import type { SeenContainer, SeenPod } from '../seen.js';

/** The build ran into a limit of its own: another Pod would, too. */
const isOwnFault = ({ reason, message }: SeenPod['status']): boolean =>
  reason === 'DeadlineExceeded' || (reason === 'Evicted' && /exceeds|exceeded/.test(message ?? ''));

/** What a kubelet says of a container whose end it did not see: the node went away under it. */
const UNSEEN_ENDS: ReadonlySet<string> = new Set(['ContainerStatusUnknown', 'Unknown']);

const hasUnseenEnd = ({ state }: SeenContainer): boolean => UNSEEN_ENDS.has(state?.terminated?.reason ?? '');

/** Why it is lost, in words; undefined while it is not. */
export function lossOf({ metadata, spec, status }: SeenPod): string | undefined {
  const { phase, reason, message, conditions = [], initContainerStatuses = [], containerStatuses = [] } = status;
  const where = spec.nodeName === undefined ? '' : ` on node ${spec.nodeName}`;
  const disrupted = conditions.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  if (metadata.deletionTimestamp !== undefined)
    return `the builder Pod${where} is being deleted${disrupted?.message ? `: ${disrupted.message}` : ''}`;
  if (phase !== 'Failed' || isOwnFault(status)) return undefined;
  if (reason !== undefined) return `the builder Pod${where} was ended: ${reason}${message ? `: ${message}` : ''}`;
  if (disrupted) return `the builder Pod${where} was ended: ${disrupted.message ?? disrupted.reason ?? ''}`;
  if ([...initContainerStatuses, ...containerStatuses].some(hasUnseenEnd))
    return `the builder Pod${where} was lost with its node`;
  return undefined;
}
