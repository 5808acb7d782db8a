/** The first status of an operation, which fixes its targets, and the first status of a retry. */
import type { NodeStatus } from '../../../api/node-status.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import type { NodeAgent } from '../../../api/objects.js';
import type { CachedNode } from '../../cluster/node.js';
import { conditions } from '../../cluster/conditions.js';
import { operationStatus } from './operation-status.js';
import { targetsOf } from '../../cluster/targets.js';
import { attemptIn } from '../../cluster/operation-id.js';
import { isFinal } from '../../cluster/phases.js';
import type { ParsedNodeOp } from '../facts/parsed-nodeop.js';

interface InitialStatusInput {
  nodes: readonly CachedNode[];
  /** Nodes that this operation has already claimed: its status was cleared from outside, and their walks continue. */
  claimed?: readonly NodeAgent[];
  now: Date;
}

export function initialStatus(nodeOp: ParsedNodeOp, { nodes, claimed = [], now }: InitialStatusInput): NodeOpStatus {
  const attempts = new Map(claimed.map(({ metadata, spec }) => [metadata.name, attemptIn(spec.operation?.id)]));
  const names = [...new Set([...targetsOf(nodeOp.spec, nodes), ...attempts.keys()])];
  const at = now.toISOString();
  const isEmpty = names.length === 0;
  const phase = isEmpty ? ('Failed' as const) : ('Pending' as const);
  const message = isEmpty ? 'no Linux node matches nodeSelector' : 'waiting for nodes to start';
  return {
    phase,
    message,
    observedGeneration: nodeOp.meta.generation,
    startedAt: at,
    ...(nodeOp.retry === undefined ? {} : { retry: nodeOp.retry }),
    ...(isEmpty ? { completedAt: at } : {}),
    nodes: { total: names.length, pending: names.length, active: 0, completed: 0, skipped: 0, failed: 0 },
    progress: `0/${names.length}`,
    conditions: conditions(nodeOp, { phase, message, now, reason: isEmpty ? 'NoTargets' : undefined }),
    nodeStatuses: Object.fromEntries(names.map(name => [name, pendingEntry(nodeOp, attempts.get(name) ?? 1, now)])),
  };
}

const pendingEntry = (nodeOp: ParsedNodeOp, attempt: number, now: Date): NodeStatus => ({
  phase: 'Pending',
  attempt,
  rebootStatus: nodeOp.spec.rebootOnSuccess ? 'pending' : 'not-requested',
  lastUpdated: now.toISOString(),
});

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
