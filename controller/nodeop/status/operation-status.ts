/** The entries of all nodes → the words of the status. */
import type { NodeCounts, NodeStatus } from '../../../api/node-status.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import { conditions } from '../../cluster/conditions.js';
import { isFinal } from '../../cluster/phases.js';
import type { ParsedNodeOp } from '../facts/parsed-nodeop.js';

/** Nodes that left before their turn may come back as long as others are under way; at the end, nothing was done there. */
export function withRemovedCompleted(statuses: Record<string, NodeStatus>, now: Date): Record<string, NodeStatus> {
  const removed = ({ phase, reason, startedAt }: NodeStatus) =>
    phase === 'Pending' && reason === 'NodeRemoved' && startedAt === undefined;
  const over = (entry: NodeStatus) => isFinal(entry) || removed(entry) || entry.reason === 'Stopped';
  if (!Object.values(statuses).every(over)) return statuses;
  const at = now.toISOString();
  const end = { phase: 'Completed' as const, rebootStatus: 'not-requested' as const, completedAt: at, lastUpdated: at };
  return Object.fromEntries(
    Object.entries(statuses).map(([name, entry]) => [name, removed(entry) ? { ...entry, ...end } : entry]),
  );
}

const NOTHING_DONE = new Set<string>(['Skipped', 'NodeRemoved']);

function count(statuses: readonly NodeStatus[]): NodeCounts {
  const of = (test: (status: NodeStatus) => boolean) => statuses.filter(test).length;
  const started = (status: NodeStatus) => status.startedAt !== undefined;
  return {
    total: statuses.length,
    pending: of(status => !isFinal(status) && !started(status)),
    active: of(status => !isFinal(status) && started(status)),
    completed: of(status => status.phase === 'Completed'),
    skipped: of(status => status.phase === 'Completed' && NOTHING_DONE.has(status.reason ?? '')),
    failed: of(status => status.phase === 'Failed'),
  };
}

function phaseOf(nodes: NodeCounts, isFinished: boolean): 'Pending' | 'Running' | 'Completed' | 'Failed' {
  if (isFinished) return nodes.failed > 0 || nodes.pending > 0 ? 'Failed' : 'Completed';
  return nodes.active + nodes.completed + nodes.failed > 0 ? 'Running' : 'Pending';
}

/** The whole status: final only when every target ended, or, with stopOnFailure, every started one. */
export function operationStatus(
  nodeOp: Pick<ParsedNodeOp, 'meta' | 'spec' | 'status' | 'isDeleting'>,
  nodeStatuses: Record<string, NodeStatus>,
  now: Date,
): NodeOpStatus {
  const nodes = count(Object.values(nodeStatuses));
  const waiting = Object.values(nodeStatuses).filter(entry => !isFinal(entry));
  const stopped =
    (nodeOp.spec.stopOnFailure && nodes.failed > 0) ||
    nodeOp.isDeleting ||
    waiting.every(({ reason }) => reason === 'Stopped');
  const over = nodes.active === 0 && (nodes.pending === 0 || stopped);
  const phase = phaseOf(nodes, over);
  const message = inWords(nodeStatuses, nodes, phase);
  return {
    ...nodeOp.status,
    phase,
    message,
    observedGeneration: nodeOp.meta.generation,
    nodes,
    progress: `${nodes.completed + nodes.failed}/${nodes.total}`,
    nodeStatuses,
    conditions: conditions(nodeOp, { phase, message, now }),
    ...(over ? { completedAt: nodeOp.status.completedAt ?? now.toISOString() } : {}),
  };
}

const exitOf = ({ exitCode }: NodeStatus) => (exitCode === undefined ? '' : ` (exit code ${exitCode})`);

function inWords(statuses: Record<string, NodeStatus>, nodes: NodeCounts, phase: string): string {
  const entries = Object.entries(statuses);
  const failed = entries.find(([, status]) => status.phase === 'Failed');
  if (failed)
    return `${nodes.failed} of ${nodes.total} nodes failed; ${failed[0]}: ${failed[1].message ?? ''}${exitOf(failed[1])}`;
  if (phase === 'Completed')
    return `${nodes.completed} node${nodes.completed === 1 ? '' : 's'} done${nodes.skipped > 0 ? `, ${nodes.skipped} of them had nothing to do` : ''}`;
  const open = entries.filter(([, status]) => !isFinal(status));
  const active =
    open.find(([, status]) => status.step !== undefined) ?? open.find(([, status]) => status.message !== undefined);
  return active ? `${active[0]}: ${active[1].message ?? active[1].step ?? ''}` : 'waiting for nodes to start';
}
