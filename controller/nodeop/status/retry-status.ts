/** What the annotation `operator.kairos.io/retry` does to a finished operation. */
import type { NodeStatus } from '../../../api/node-status.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import type { CachedNode } from '../../cluster/node.js';
import { isFinal } from '../../cluster/phases.js';
import type { ParsedNodeOp } from '../facts/parsed-nodeop.js';
import { initialStatus, pendingEntry } from './initial-status.js';
import { operationStatus } from './operation-status.js';

export const isRetried = ({ status, retry, isDeleting }: ParsedNodeOp): boolean =>
  isFinal(status) && !isDeleting && retry !== undefined && retry !== status.retry;

/** A node that was removed before its turn is Completed, but nothing was done on it. */
const isRepeated = ({ phase, reason }: NodeStatus): boolean => phase !== 'Completed' || reason === 'NodeRemoved';

/** Nodes that failed or never started are run again, the others keep their entry. An operation without targets selects them again. */
export function retryStatus(nodeOp: ParsedNodeOp, nodes: readonly CachedNode[], now: Date): NodeOpStatus {
  const before = Object.entries(nodeOp.status.nodeStatuses ?? {});
  if (before.length === 0) return initialStatus({ ...nodeOp, status: {} }, { nodes, now });
  const entries = before.map(([name, entry]) => {
    return [name, isRepeated(entry) ? pendingEntry(nodeOp, (entry.attempt ?? 1) + 1, now) : entry] as const;
  });
  const { completedAt: _ended, ...status } = { ...nodeOp.status, phase: undefined, retry: nodeOp.retry };
  return operationStatus({ ...nodeOp, status }, Object.fromEntries(entries), now);
}
