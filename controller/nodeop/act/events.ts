/** One function per event: data, nothing is sent here. */
import { apiVersion, NODE_OP } from '../../../api/kinds.js';
import type { Operation } from '../../../api/node-agent.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import type { Reason } from '../../../api/reasons.js';
import type { Event, EventSubject } from '../../../kube/recorder.js';
import type { CachedNode } from '../../cluster/node.js';
import type { Facts } from '../facts/facts.js';
import type { ParsedNodeOp } from '../facts/parsed-nodeop.js';

const aboutOperation = ({ meta, namespace }: ParsedNodeOp): EventSubject => ({
  apiVersion: apiVersion(NODE_OP),
  kind: NODE_OP.kind,
  name: meta.name,
  namespace,
  uid: meta.uid,
});

const aboutNode = (node: CachedNode): EventSubject => ({
  apiVersion: 'v1',
  kind: 'Node',
  name: node.metadata.name,
  uid: node.metadata.uid,
});

type Say = (facts: Facts) => Event;

const onOperation =
  (reason: Reason, text: string, type: Event['type'] = 'Normal'): Say =>
  ({ nodeOp, name, node }) => ({
    about: aboutOperation(nodeOp),
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
export const preflightWarning = (what: string): Say => onOperation('PreflightWarning', what, 'Warning');
export const podsStay = (why: string): Say => onOperation('PodsStay', why, 'Warning');
export const rebootAsked = onOperation('RebootAsked', 'the agent was asked to reboot the node');

/** On the Node, for who looks at it and wonders. */
const onNode =
  (reason: Reason, text: string): ((facts: Facts) => Event | undefined) =>
  ({ nodeOp, node }) =>
    node && {
      about: aboutNode(node),
      related: aboutOperation(nodeOp),
      type: 'Normal',
      reason,
      message: `${text} NodeOp ${nodeOp.namespace}/${nodeOp.meta.name}`,
    };

export const rebooted = onNode('Rebooted', 'came back with another boot id, rebooted by');
export const cordoned = onNode('Cordoned', 'cordoned by');
export const uncordoned = onNode('Uncordoned', 'uncordoned by');

/** No node can start: the API server's words, once for all of them. */
export const podRefused = (nodeOp: ParsedNodeOp, words: string): Event => ({
  about: aboutOperation(nodeOp),
  type: 'Warning',
  reason: 'PodRefused' satisfies Reason,
  message: words,
});

/** Somebody asked for another attempt. */
export const retried = (nodeOp: ParsedNodeOp, { nodes }: NodeOpStatus): Event => ({
  about: aboutOperation(nodeOp),
  type: 'Normal',
  reason: 'Retried' satisfies Reason,
  message: `${nodes?.pending ?? 0} nodes that failed or never started are run again`,
});

/** How the walk over a node ended. */
export function ended(facts: Facts, result: NonNullable<Operation['result']>): Event {
  const { reason = 'Done', message, phase, exitCode, log } = result;
  const exit = exitCode === undefined ? '' : ` (exit code ${exitCode})`;
  const tail = log === undefined ? '' : `: ${log.slice(-LOG_IN_EVENT)}`;
  return onOperation(reason, `${message}${exit}${tail}`, phase === 'Failed' ? 'Warning' : 'Normal')(facts);
}

/** An Event has room for 1024 bytes; the last words of a log say the most. */
const LOG_IN_EVENT = 600;
