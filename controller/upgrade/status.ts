/** The NodeOp's status → the upgrade's, in the words that scripts wait for. */
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeOpStatus } from '../../api/nodeop.js';
import type { NodeOpUpgradeStatus } from '../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import { conditions } from '../cluster/conditions.js';
import { retryOf } from './nodeop.js';

/** From here on only nodes that are under way or failed are mirrored: the whole list stands in the NodeOp. */
const MIRROR_ALL_UP_TO = 1_000;

const TEXTS = {
  Pending: 'Upgrade operation is pending',
  Running: 'Upgrade operation is running',
  Completed: 'Upgrade operation completed successfully',
  Failed: 'Upgrade operation failed',
} as const;

interface Told {
  phase: NonNullable<NodeOpUpgradeStatus['phase']>;
  message: string;
  reason?: string;
  /** What the conditions say, where that is more than the message. */
  detail?: string;
}

function told({ metadata, status = {} }: NodeOpUpgrade, { phase, message, reason, detail }: Told, now: Date) {
  return {
    ...status,
    phase,
    message,
    observedGeneration: metadata.generation,
    conditions: conditions({ meta: metadata, status }, { phase, message: detail ?? message, now, reason }),
  };
}

/** Before there is a NodeOp. */
export const initializing = (
  upgrade: NodeOpUpgrade,
  message: string,
  now: Date,
  reason: Reason = 'Probing',
): NodeOpUpgradeStatus => ({
  ...told(upgrade, { phase: 'Initializing', message, reason }, now),
  ...(retryOf(upgrade.metadata) === undefined ? {} : { retry: retryOf(upgrade.metadata) }),
});

/** Ended without the NodeOp having a say. */
export const ended = (
  upgrade: NodeOpUpgrade,
  why: { reason: Reason; message: string },
  now: Date,
): NodeOpUpgradeStatus => ({
  ...told(upgrade, { phase: 'Failed', ...why }, now),
  completedAt: now.toISOString(),
});

/** What the NodeOp says, and its name. */
export function mirrored(upgrade: NodeOpUpgrade, nodeOp: NodeOp, now: Date): NodeOpUpgradeStatus {
  const { status } = nodeOp;
  const nodeOpName = nodeOp.metadata.name;
  if (status?.phase === undefined)
    return {
      ...told(upgrade, { phase: 'Initializing', message: 'NodeOp created', reason: 'Progressing' }, now),
      nodeOpName,
    };
  const { phase } = status;
  const message = TEXTS[phase];
  const gone = phase === 'Failed' && wasCutShort(nodeOp);
  const why = gone ? `NodeOp ${nodeOpName} was deleted before the upgrade had ended` : whyFailed(status);
  const detail = phase === 'Failed' ? [message, why].filter(Boolean).join(': ') : status.message;
  return {
    ...told(upgrade, { phase, message, reason: gone ? 'NodeOpDeleted' : reasonOf(status), detail }, now),
    nodeOpName,
    startedAt: status.startedAt,
    completedAt: status.completedAt,
    nodes: status.nodes,
    progress: status.progress,
    nodeStatuses: mirroredNodes(status),
  };
}

const firstFailed = (status: NodeOpStatus): [string, NodeStatus] | undefined =>
  Object.entries(status.nodeStatuses ?? {})
    .filter(([, node]) => node.phase === 'Failed')
    .toSorted(([, a], [, b]) => (a.completedAt ?? '~').localeCompare(b.completedAt ?? '~'))[0];

/** The first node that failed and its own words; the NodeOp's where no node did. */
function whyFailed(status: NodeOpStatus): string | undefined {
  const [name, node] = firstFailed(status) ?? [];
  if (name === undefined || node === undefined) return status.message;
  return `${name}: ${node.message ?? node.reason ?? 'failed'}`;
}

/** Somebody deleted it, and nodes ended for that. */
const wasCutShort = ({ metadata, status }: NodeOp): boolean =>
  metadata.deletionTimestamp !== undefined &&
  Object.values(status?.nodeStatuses ?? {}).some(({ reason }) => reason === 'Deleted');

const reasonOf = ({ phase, conditions: all }: NodeOpStatus): string | undefined =>
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
