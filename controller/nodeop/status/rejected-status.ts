/** The status of an operation that must not start: its spec is invalid or its namespace is not allowed. */
import type { NodeOpStatus } from '../../../api/nodeop.js';
import type { NodeOp } from '../../../api/objects.js';
import type { Reason } from '../../../api/reasons.js';
import { conditions } from '../../cluster/conditions.js';

interface Rejection {
  fault: string;
  reason: Reason;
  /** Nodes are still claimed, from a time when the object was valid. */
  hasClaims: boolean;
  now: Date;
}

/** Failed, unless nodes are claimed: then the phase stays as it is, and only a deletion can release them. */
export function rejectedStatus(
  { metadata, status = {} }: NodeOp,
  { fault, reason, hasClaims, now }: Rejection,
): NodeOpStatus {
  const phase = hasClaims ? (status.phase ?? 'Running') : 'Failed';
  const message = hasClaims ? `${fault}; delete the object to release its nodes` : fault;
  return {
    ...status,
    uid: metadata.uid,
    phase,
    message,
    observedGeneration: metadata.generation,
    conditions: conditions({ meta: metadata, status }, { phase, message, reason, now }),
  };
}
