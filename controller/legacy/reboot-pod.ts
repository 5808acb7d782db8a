/** The Pods by which the legacy operator reboots nodes, and how far each of them is. */
import { apiVersion, NODE_OP } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import { REBOOT_STATE } from './names.js';
import { isTerminating } from '../cluster/metadata.js';

const CONTAINER = 'reboot';

/** The legacy operator keeps this much of a long name and appends a hash. */
const MAX_NAME_PREFIX = 44;

/**
 * Owned by a NodeOp; or, without any owner, equal to a reboot Pod in name, container and host access. The label alone proves nothing:
 * users put it on their own Pods so that a drain spares them.
 */
export function isRebootPod({ metadata, spec }: CachedPod): boolean {
  const { name, labels = {}, ownerReferences = [] } = metadata;
  const nodeOp = labels[LABELS.nodeOp];
  if (labels[LABELS.reboot] !== 'true' || nodeOp === undefined) return false;
  const isNodeOp = (owner: { kind: string; apiVersion: string }) =>
    owner.kind === NODE_OP.kind && owner.apiVersion === apiVersion(NODE_OP);
  if (ownerReferences.length > 0) return ownerReferences.every(isNodeOp);
  const hasExpectedName = name.startsWith(`${nodeOp}-reboot-`.slice(0, MAX_NAME_PREFIX));
  return hasExpectedName && spec.hostPID === true && (spec.containers ?? []).some(each => each.name === CONTAINER);
}

/** The Pod has rebooted its node, or will within seconds. */
export const hasTriggeredReboot = (pod: CachedPod): boolean => pod.metadata.annotations?.[REBOOT_STATE] === 'completed';

/** A finalizer, or a grace period of any length, must not keep a node from all operations. */
const DELETION_LIMIT_MS = 10 * 60_000;

/** Until when a Pod that is being deleted is waited for, counted from the request, since its author chooses the grace period. */
export function deletionDeadline({ metadata }: CachedPod): Date {
  const { deletionTimestamp = '', deletionGracePeriodSeconds = 0 } = metadata;
  return new Date(Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000 + DELETION_LIMIT_MS);
}

/** Being deleted, and its containers may still run. */
export const isBeingDeleted = (pod: CachedPod, now: Date): boolean =>
  isAlive(pod) && isTerminating(pod) && now < deletionDeadline(pod);

/** The Pod may reboot its node at any time. */
export const isWaitingToReboot = (pod: CachedPod): boolean =>
  isAlive(pod) && !hasTriggeredReboot(pod) && !isTerminating(pod);
