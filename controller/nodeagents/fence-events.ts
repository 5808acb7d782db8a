/** Reports agents that could write to other Nodes, as their status says: one Event on the Node of each. */
import type { NodeAgent } from '../../api/objects.js';
import { apiVersion } from '../../api/kinds.js';
import type { Event } from '../../kube/event-recorder.js';
import { NODES } from '../../kube/resources.js';
import type { CachedNode } from '../cluster/node.js';

export const isUnfenced = (agent: NodeAgent | undefined): boolean => agent?.status?.fence?.state === 'NotFenced';

/** Whether an Event is due: only when the agent has reported it anew. The agent itself tries again every hour. */
export const isNewlyUnfenced = (old: NodeAgent | undefined, now: NodeAgent | undefined): boolean =>
  isUnfenced(now) && !isUnfenced(old);

export const agentNotFenced = ({ metadata: { name, uid } }: CachedNode, { status }: NodeAgent): Event => ({
  about: { apiVersion: apiVersion(NODES), kind: NODES.kind, name, uid },
  type: 'Warning',
  reason: 'AgentNotFenced',
  message: `${status?.fence?.message ?? ''}. A token that is stolen from this node gives access to all of them: see docs/security.md`,
});
