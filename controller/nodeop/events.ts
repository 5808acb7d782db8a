/** One function per event: data, nothing is sent here. */
import { apiVersion, NODE_OP } from '../../api/kinds.js';
import type { Reason } from '../../api/reasons.js';
import type { Event, EventSubject } from '../../kube/recorder.js';
import type { SeenNode } from '../seen.js';
import type { Facts } from './facts.js';
import type { Wish } from './wish.js';

const aboutOperation = ({ meta, namespace }: Wish): EventSubject => ({
  apiVersion: apiVersion(NODE_OP),
  kind: NODE_OP.kind,
  name: meta.name,
  namespace,
  uid: meta.uid,
});

const aboutNode = (node: SeenNode): EventSubject => ({
  apiVersion: 'v1',
  kind: 'Node',
  name: node.metadata.name,
  uid: node.metadata.uid,
});

type Say = (facts: Facts) => Event;

const onOperation =
  (reason: Reason, text: string, type: Event['type'] = 'Normal'): Say =>
  ({ wish, name, node }) => ({
    about: aboutOperation(wish),
    related: node && aboutNode(node),
    type,
    reason,
    message: `${name}: ${text}`,
  });

export const started = onOperation('Started', 'claimed for this operation');
export const drainSkipped = onOperation(
  'DrainSkipped',
  'not drained: there is no other Ready, schedulable node',
  'Warning',
);
export const drainBlocked = (why: string): Say => onOperation('DrainBlocked', why, 'Warning');
export const podsStay = (why: string): Say => onOperation('PodsStay', why, 'Warning');
export const rebootAsked = onOperation('RebootAsked', 'the agent was asked to reboot the node');

/** On the Node, for who looks at it and wonders. */
const onNode =
  (reason: Reason, text: string): ((facts: Facts) => Event | undefined) =>
  ({ wish, node }) =>
    node && {
      about: aboutNode(node),
      related: aboutOperation(wish),
      type: 'Normal',
      reason,
      message: `${text} NodeOp ${wish.namespace}/${wish.meta.name}`,
    };

export const cordoned = onNode('Cordoned', 'cordoned by');
export const uncordoned = onNode('Uncordoned', 'uncordoned by');

/** How the walk over a node ended. */
export const ended = (facts: Facts, result: { phase: string; reason?: Reason; message: string }): Event =>
  onOperation(result.reason ?? 'Done', result.message, result.phase === 'Failed' ? 'Warning' : 'Normal')(facts);
