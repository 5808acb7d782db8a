/** The status of an operation that was restored from a backup: it ends without being run, or stays finished. */
import type { NodeStatus } from '../../../api/node-status.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import type { NodeOp } from '../../../api/objects.js';
import { conditions } from '../../cluster/conditions.js';
import { isFinal } from '../../cluster/phases.js';
import { retryOf } from '../../cluster/retry-annotation.js';
import { restoredMessage } from '../../cluster/started-mark.js';
import { countNodes, progressOf } from './operation-status.js';

/** A value that the retry annotation had already is recorded, so that only another one requests a retry. */
export function restoredStatus(op: NodeOp, now: Date): NodeOpStatus {
  const { metadata, status = {} } = op;
  const own = { uid: metadata.uid, retry: retryOf(metadata) ?? status.retry };
  if (isFinal(status)) return { ...status, ...own };
  const message = restoredMessage(op);
  return {
    ...status,
    ...own,
    ...(status.nodeStatuses ? restoredNodes(status.nodeStatuses, now) : {}),
    phase: 'Failed',
    message,
    observedGeneration: metadata.generation,
    completedAt: now.toISOString(),
    conditions: conditions({ meta: metadata, status }, { phase: 'Failed', message, reason: 'Restored', now }),
  };
}

function restoredNodes(before: Readonly<Record<string, NodeStatus>>, now: Date): Partial<NodeOpStatus> {
  const nodeStatuses = Object.fromEntries(
    Object.entries(before).map(([name, entry]) => [name, isFinal(entry) ? entry : restoredNode(entry, now)]),
  );
  const nodes = countNodes(Object.values(nodeStatuses));
  return { nodeStatuses, nodes, progress: progressOf(nodes) };
}

/** What was being done on a node when the backup was made has ended one way or the other, and nothing of it is continued. */
function restoredNode({ step: _step, ending: _ending, ...entry }: NodeStatus, now: Date): NodeStatus {
  const at = now.toISOString();
  const reason = { reason: 'Restored', lastUpdated: at } as const;
  if (entry.startedAt === undefined) return { ...entry, ...reason, message: 'the node was not started' };
  const message = 'the operation was restored from a backup; it is unknown how far it got on the node';
  const rebootStatus = entry.rebootStatus === 'pending' ? 'cancelled' : entry.rebootStatus;
  return { ...entry, ...reason, phase: 'Failed', message, rebootStatus, completedAt: at };
}
