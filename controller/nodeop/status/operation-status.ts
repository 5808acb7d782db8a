/** The status of an operation, computed from the entries of its nodes. */
import type { NodeCounts, NodeStatus } from '../../../api/node-status.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import { conditions } from '../../cluster/conditions.js';
import { isFinal } from '../../cluster/phases.js';
import type { ParsedNodeOp } from '../facts/parsed-nodeop.js';

/**
 * A node that was removed before its turn may come back while others are active. When all others have finished, its entry becomes
 * Completed, with nothing done.
 */
export function withRemovedCompleted(statuses: Record<string, NodeStatus>, now: Date): Record<string, NodeStatus> {
  const isRemoved = ({ phase, reason, startedAt }: NodeStatus) =>
    phase === 'Pending' && reason === 'NodeRemoved' && startedAt === undefined;
  const isFinished = (entry: NodeStatus) => isFinal(entry) || isRemoved(entry) || entry.reason === 'Stopped';
  if (!Object.values(statuses).every(isFinished)) return statuses;
  const at = now.toISOString();
  const end = { phase: 'Completed' as const, rebootStatus: 'not-requested' as const, completedAt: at, lastUpdated: at };
  return Object.fromEntries(
    Object.entries(statuses).map(([name, entry]) => [name, isRemoved(entry) ? { ...entry, ...end } : entry]),
  );
}

/** Reasons of completed nodes that were not touched. */
const NOTHING_DONE = new Set<string>(['Skipped', 'NodeRemoved']);

export function countNodes(statuses: readonly NodeStatus[]): NodeCounts {
  const countOf = (test: (status: NodeStatus) => boolean) => statuses.filter(test).length;
  const hasStarted = (status: NodeStatus) => status.startedAt !== undefined;
  return {
    total: statuses.length,
    pending: countOf(status => !isFinal(status) && !hasStarted(status)),
    active: countOf(status => !isFinal(status) && hasStarted(status)),
    completed: countOf(status => status.phase === 'Completed'),
    skipped: countOf(status => status.phase === 'Completed' && NOTHING_DONE.has(status.reason ?? '')),
    failed: countOf(status => status.phase === 'Failed'),
  };
}

export const progressOf = ({ completed, failed, total }: NodeCounts): string => `${completed + failed}/${total}`;

function phaseOf(nodes: NodeCounts, isFinished: boolean): 'Pending' | 'Running' | 'Completed' | 'Failed' {
  if (isFinished) return nodes.failed > 0 || nodes.pending > 0 ? 'Failed' : 'Completed';
  return nodes.active + nodes.completed + nodes.failed > 0 ? 'Running' : 'Pending';
}

/** The phase is final when every target has finished, or, if no further node may start, every started one. */
export function operationStatus(
  nodeOp: Pick<ParsedNodeOp, 'meta' | 'spec' | 'status' | 'isDeleting'>,
  nodeStatuses: Record<string, NodeStatus>,
  now: Date,
): NodeOpStatus {
  const nodes = countNodes(Object.values(nodeStatuses));
  const waiting = Object.values(nodeStatuses).filter(entry => !isFinal(entry));
  const isStopped =
    (nodeOp.spec.stopOnFailure && nodes.failed > 0) ||
    nodeOp.isDeleting ||
    waiting.every(({ reason }) => reason === 'Stopped');
  const isFinished = nodes.active === 0 && (nodes.pending === 0 || isStopped);
  const phase = phaseOf(nodes, isFinished);
  const message = messageOf(nodeStatuses, nodes, phase);
  return {
    ...nodeOp.status,
    uid: nodeOp.meta.uid,
    phase,
    message,
    observedGeneration: nodeOp.meta.generation,
    nodes,
    progress: progressOf(nodes),
    nodeStatuses,
    conditions: conditions(nodeOp, { phase, message, now }),
    ...(isFinished ? { completedAt: nodeOp.status.completedAt ?? now.toISOString() } : {}),
  };
}

const exitOf = ({ exitCode }: NodeStatus) => (exitCode === undefined ? '' : ` (exit code ${exitCode})`);

/** Names one node only: the first that failed, else the first that is active, else the first that has a message. */
function messageOf(statuses: Record<string, NodeStatus>, nodes: NodeCounts, phase: string): string {
  const entries = Object.entries(statuses);
  const failed = entries.find(([, status]) => status.phase === 'Failed');
  if (failed)
    return `${nodes.failed} of ${nodes.total} nodes failed; ${failed[0]}: ${failed[1].message ?? ''}${exitOf(failed[1])}`;
  if (phase === 'Completed') return completedMessage(nodes);
  const unfinished = entries.filter(([, status]) => !isFinal(status));
  const active =
    unfinished.find(([, status]) => status.step !== undefined) ??
    unfinished.find(([, status]) => status.message !== undefined);
  return active ? `${active[0]}: ${active[1].message ?? active[1].step ?? ''}` : 'waiting for nodes to start';
}

function completedMessage({ completed, skipped }: NodeCounts): string {
  const skippedPart = skipped > 0 ? `, ${skipped} of them had nothing to do` : '';
  return `${completed} node${completed === 1 ? '' : 's'} done${skippedPart}`;
}
