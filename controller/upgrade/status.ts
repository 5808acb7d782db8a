/** Derives the status of an upgrade from the status of its NodeOp, with the message texts that scripts wait for. */
import type { FirstSeen } from '../../api/meta.js';
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOpStatus } from '../../api/nodeop.js';
import type { NodeOpUpgradeStatus } from '../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import { conditions } from '../cluster/conditions.js';
import { retryOf } from '../cluster/retry-annotation.js';

/** Above this number only active and failed nodes are mirrored, to bound the size of the object. The NodeOp has the whole list. */
const MIRROR_ALL_UP_TO = 1_000;

const MESSAGES = {
  Pending: 'Upgrade operation is pending',
  Running: 'Upgrade operation is running',
  Completed: 'Upgrade operation completed successfully',
  Failed: 'Upgrade operation failed',
} as const;

interface PhaseChange {
  phase: NonNullable<NodeOpUpgradeStatus['phase']>;
  message: string;
  reason?: string;
  /** Message of the conditions, where they explain more than the message of the status. */
  detail?: string;
}

const withPhase = (
  { metadata, status = {} }: NodeOpUpgrade,
  { phase, message, reason, detail }: PhaseChange,
  now: Date,
) => ({
  ...status,
  uid: metadata.uid,
  phase,
  message,
  observedGeneration: metadata.generation,
  conditions: conditions({ meta: metadata, status }, { phase, message: detail ?? message, now, reason }),
});

/** Status until the NodeOp exists. */
export const initializingStatus = (
  upgrade: NodeOpUpgrade,
  message: string,
  now: Date,
  reason: Reason = 'Probing',
): NodeOpUpgradeStatus => ({
  ...withPhase(upgrade, { phase: 'Initializing', message, reason }, now),
  ...(retryOf(upgrade.metadata) === undefined ? {} : { retry: retryOf(upgrade.metadata) }),
});

/** Pull errors count only while the image is read. */
export const withPullErrors = (
  status: NodeOpUpgradeStatus,
  pullErrors: readonly FirstSeen[] = [],
): NodeOpUpgradeStatus => ({ ...status, pullErrors: pullErrors.length === 0 ? undefined : [...pullErrors] });

/** Status of an upgrade that fails for a reason outside its NodeOp. */
export const failedStatus = (
  upgrade: NodeOpUpgrade,
  failure: { reason: Reason; message: string },
  now: Date,
): NodeOpUpgradeStatus => ({
  ...withPullErrors(withPhase(upgrade, { phase: 'Failed', ...failure }, now)),
  completedAt: now.toISOString(),
});

/** Status of the NodeOp, and its name. */
export function mirroredStatus(upgrade: NodeOpUpgrade, nodeOp: NodeOp, now: Date): NodeOpUpgradeStatus {
  const { status } = nodeOp;
  const nodeOpName = nodeOp.metadata.name;
  if (status?.phase === undefined)
    return {
      ...withPhase(upgrade, { phase: 'Initializing', message: 'NodeOp created', reason: 'Progressing' }, now),
      nodeOpName,
    };
  const { phase } = status;
  const message = MESSAGES[phase];
  const isDeleted = phase === 'Failed' && wasDeletedEarly(nodeOp);
  const cause = isDeleted ? deletedEarly(nodeOpName) : failureText(status);
  const detail = phase === 'Failed' ? [message, cause].filter(Boolean).join(': ') : status.message;
  return {
    ...withPhase(upgrade, { phase, message, reason: isDeleted ? 'NodeOpDeleted' : failureReason(status), detail }, now),
    nodeOpName,
    startedAt: status.startedAt,
    completedAt: status.completedAt,
    nodes: status.nodes,
    progress: status.progress,
    ...(status.retry === undefined ? {} : { retry: status.retry }),
    nodeStatuses: mirroredNodes(status),
  };
}

export const deletedEarly = (nodeOpName: string): string =>
  `NodeOp ${nodeOpName} was deleted before the upgrade had finished`;

const firstFailed = (status: NodeOpStatus): [string, NodeStatus] | undefined =>
  Object.entries(status.nodeStatuses ?? {})
    .filter(([, node]) => node.phase === 'Failed')
    .toSorted(([, a], [, b]) => (a.completedAt ?? '~').localeCompare(b.completedAt ?? '~'))[0];

/** The first node that failed, with its message; the message of the NodeOp where no node failed. */
function failureText(status: NodeOpStatus): string | undefined {
  const [name, node] = firstFailed(status) ?? [];
  if (name === undefined || node === undefined) return status.message;
  return `${name}: ${node.message ?? node.reason ?? 'failed'}`;
}

/** The NodeOp was deleted while nodes were still to be worked on. */
const wasDeletedEarly = ({ metadata, status }: NodeOp): boolean =>
  metadata.deletionTimestamp !== undefined &&
  Object.values(status?.nodeStatuses ?? {}).some(({ reason }) => reason === 'Deleted');

const failureReason = ({ phase, conditions: all }: NodeOpStatus): string | undefined =>
  phase === 'Failed' ? all?.find(condition => condition.type === 'Failed')?.reason : undefined;

function mirroredNodes({ nodeStatuses }: NodeOpStatus): NodeOpStatus['nodeStatuses'] {
  const entries = Object.entries(nodeStatuses ?? {});
  if (entries.length <= MIRROR_ALL_UP_TO) return nodeStatuses;
  return Object.fromEntries(
    entries.filter(
      ([, { phase, startedAt }]) => phase === 'Failed' || (phase !== 'Completed' && startedAt !== undefined),
    ),
  );
}
