/** One function per Event. They return data; the recorder sends it. */
import { apiVersion, NODE_OP } from '../../api/kinds.js';
import type { NodeOpStatus } from '../../api/nodeop.js';
import type { NodeOp } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import type { Event, EventSubject } from '../../kube/event-recorder.js';
import { rebootBindingName } from './names.js';

const aboutOperation = ({ metadata }: NodeOp): EventSubject => ({
  apiVersion: apiVersion(NODE_OP),
  kind: NODE_OP.kind,
  name: metadata.name,
  namespace: metadata.namespace,
  uid: metadata.uid,
});

/** Reasons of the migration only; nodes and their results have the reasons of every other operation. */
type MigrationReason = Extract<Reason, 'TakenOver'> | 'ScaledDown' | 'LeftBehind';

const migrationEvent = (
  about: EventSubject,
  { reason, message, type = 'Normal' }: { reason: MigrationReason; message: string; type?: Event['type'] },
): Event => ({ about, type, reason, message });

export const scaledDown = (deployment: EventSubject): Event =>
  migrationEvent(deployment, {
    reason: 'ScaledDown',
    message:
      'scaled to 0 because the operator that replaces it is installed; delete it once you do not want to roll back any more',
  });

/** Reasons of nodes whose work could not be continued. */
const LOST_REASONS = new Set<string>(['JobDeleted', 'NodeRemoved', 'NotRebooted', 'Interrupted'] satisfies Reason[]);

export function migrated(op: NodeOp, { nodes, nodeStatuses = {} }: NodeOpStatus): Event {
  const lost = Object.entries(nodeStatuses).filter(([, { reason }]) => LOST_REASONS.has(reason ?? ''));
  const lostText = lost.map(([node, { message }]) => `; ${node}: ${message}`).join('');
  const message = `migrated from the Go operator: ${nodes?.active ?? 0} nodes continue, ${nodes?.pending ?? 0} are not started yet${lostText}`;
  return migrationEvent(aboutOperation(op), {
    reason: 'TakenOver',
    message,
    type: lost.length > 0 ? 'Warning' : 'Normal',
  });
}

export const bindingNotDeleted = (op: NodeOp): Event =>
  migrationEvent(aboutOperation(op), {
    reason: 'LeftBehind',
    message: `ClusterRoleBinding ${rebootBindingName(op.metadata.name)} of the Go operator may be left: the operator has no permission to delete it`,
    type: 'Warning',
  });

/** Recorded during a deletion, to explain why the object is still there. */
export const deletionWaitsForJob = (op: NodeOp, job: string): Event =>
  migrationEvent(aboutOperation(op), {
    reason: 'TakenOver',
    message: `deletion waits for Job ${job} of the Go operator, which may be writing a system; no reboot follows`,
  });

export const deletedWithoutWaiting = (op: NodeOp, unfinished: string): Event =>
  migrationEvent(aboutOperation(op), {
    reason: 'LeftBehind',
    message: `deleted without waiting any longer for ${unfinished} to finish`,
    type: 'Warning',
  });
