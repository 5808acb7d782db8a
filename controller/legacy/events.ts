/** One function per event: data, nothing is sent here. */
import { apiVersion, NODE_OP } from '../../api/kinds.js';
import type { NodeOpStatus } from '../../api/nodeop.js';
import type { NodeOp } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import type { Event, EventSubject } from '../../kube/recorder.js';
import { bindingOf } from './names.js';

const aboutOperation = ({ metadata }: NodeOp): EventSubject => ({
  apiVersion: apiVersion(NODE_OP),
  kind: NODE_OP.kind,
  name: metadata.name,
  namespace: metadata.namespace,
  uid: metadata.uid,
});

/** Said once, on the day operators change; of nodes and their ends the reasons of every operation tell. */
type MigrationReason = Extract<Reason, 'TakenOver'> | 'ScaledDown' | 'LeftBehind';

const told = (
  about: EventSubject,
  { reason, message, type = 'Normal' }: { reason: MigrationReason; message: string; type?: Event['type'] },
): Event => ({ about, type, reason, message });

export const scaledDown = (deployment: EventSubject): Event =>
  told(deployment, {
    reason: 'ScaledDown',
    message: 'scaled to 0: the operator that replaces it is installed; delete it when you do not want to go back',
  });

export function takenOver(op: NodeOp, { nodes, nodeStatuses = {} }: NodeOpStatus): Event {
  const failed = Object.entries(nodeStatuses).filter(([, { reason }]) => GIVEN_UP.has(reason ?? ''));
  const lost = failed.map(([node, { message }]) => `; ${node}: ${message}`).join('');
  const message = `taken over from an earlier operator: ${nodes?.active ?? 0} nodes go on, ${nodes?.pending ?? 0} are still to start${lost}`;
  return told(aboutOperation(op), { reason: 'TakenOver', message, type: failed.length > 0 ? 'Warning' : 'Normal' });
}

/** How nodes end that cannot be taken up. */
const GIVEN_UP = new Set<string>(['JobDeleted', 'NodeRemoved', 'NotRebooted', 'Interrupted'] satisfies Reason[]);

export const bindingLeft = (op: NodeOp): Event =>
  told(aboutOperation(op), {
    reason: 'LeftBehind',
    message: `ClusterRoleBinding ${bindingOf(op.metadata.name)} of an earlier operator may be left: deleting it needs rights that the operator does not have`,
    type: 'Warning',
  });

/** While it is being deleted: why it is still there. */
export const deletionWaits = (op: NodeOp, job: string): Event =>
  told(aboutOperation(op), {
    reason: 'TakenOver',
    message: `being deleted: Job ${job} of an earlier operator may be writing a system, and is let finish; no reboot follows`,
  });

export const notEnded = (op: NodeOp, what: string): Event =>
  told(aboutOperation(op), {
    reason: 'LeftBehind',
    message: `deleted without waiting any longer for ${what} to end`,
    type: 'Warning',
  });
