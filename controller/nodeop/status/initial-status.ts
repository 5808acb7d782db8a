/** The first status of an operation, which fixes its targets. */
import type { NodeStatus } from '../../../api/node-status.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import type { NodeAgent } from '../../../api/objects.js';
import type { CachedNode } from '../../cluster/node.js';
import { conditions } from '../../cluster/conditions.js';
import { targetsOf } from '../../cluster/targets.js';
import { attemptIn } from '../../cluster/operation-id.js';
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
    uid: nodeOp.meta.uid,
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

export const pendingEntry = (nodeOp: ParsedNodeOp, attempt: number, now: Date): NodeStatus => ({
  phase: 'Pending',
  attempt,
  rebootStatus: nodeOp.spec.rebootOnSuccess ? 'pending' : 'not-requested',
  lastUpdated: now.toISOString(),
});
