/** One function per Event. They return data; only `act` and the controller record it. */
import { apiVersion, NODE_OP } from '../../../api/kinds.js';
import type { Operation } from '../../../api/node-agent.js';
import type { NodeOpStatus } from '../../../api/nodeop.js';
import type { NodeOp, ObjectMeta } from '../../../api/objects.js';
import type { Reason } from '../../../api/reasons.js';
import type { Event, EventSubject } from '../../../kube/event-recorder.js';
import { agentAnswer } from '../../cluster/agent-answer.js';
import type { CachedNode } from '../../cluster/node.js';
import type { Facts, LedgerChange } from '../facts/facts.js';
import type { ParsedNodeOp } from '../facts/parsed-nodeop.js';
import { classifyPods, stayingMessage } from '../steps/drainable-pods.js';
import { clockSkewMessage } from '../steps/claim.js';
import { hasRebooted } from '../steps/reboot.js';

const subjectOf = ({ name, namespace, uid }: ObjectMeta): EventSubject => ({
  apiVersion: apiVersion(NODE_OP),
  kind: NODE_OP.kind,
  name,
  namespace,
  uid,
});

const operationSubject = ({ meta }: ParsedNodeOp): EventSubject => subjectOf(meta);

const nodeSubject = (node: CachedNode): EventSubject => ({
  apiVersion: 'v1',
  kind: 'Node',
  name: node.metadata.name,
  uid: node.metadata.uid,
});

/** An Event on the NodeOp, related to the node. */
const onOperation =
  (reason: Reason, text: string, type: Event['type'] = 'Normal') =>
  ({ nodeOp, name, node }: Facts): Event => ({
    about: operationSubject(nodeOp),
    related: node && nodeSubject(node),
    type,
    reason,
    message: `${name}: ${text}`,
  });

export const started = onOperation('Started', 'claimed for this operation');
const rebootAsked = onOperation('RebootAsked', 'the agent was asked to reboot the node');
const drainSkipped = onOperation('DrainSkipped', 'not drained: there is no other Ready, schedulable node', 'Warning');

const registeredAnew = onOperation(
  'RegisteredAnew',
  'the Node was deleted, and its machine has registered again; labels, taints and annotations of others are lost',
  'Warning',
);

/** One for each pod, whose words may have numbers and times in them. */
export const drainBlocked = (facts: Facts, { uid, message }: { uid: string; message: string }): Event => ({
  ...onOperation('DrainBlocked', message, 'Warning')(facts),
  topic: uid,
});

/** An Event on the Node, for those who inspect the node and do not know the operation. None when the Node is absent. */
const onNode =
  (reason: Reason, text: string) =>
  ({ nodeOp, node }: Facts): Event[] => {
    if (node === undefined) return [];
    const message = `${text} NodeOp ${nodeOp.namespace}/${nodeOp.meta.name}`;
    return [{ about: nodeSubject(node), related: operationSubject(nodeOp), type: 'Normal', reason, message }];
  };

const rebooted = onNode('Rebooted', 'came back with another boot id, rebooted by');
export const cordoned = onNode('Cordoned', 'cordoned by');
export const uncordoned = onNode('Uncordoned', 'uncordoned by');

/** The dry run of the Pod was refused, so no node can start: one Event for all of them, with the message of the API server. */
export const podRefused = (nodeOp: ParsedNodeOp, message: string): Event => ({
  about: operationSubject(nodeOp),
  type: 'Warning',
  reason: 'PodRefused' satisfies Reason,
  message,
  topic: 'rehearsal',
});

export const restored = ({ metadata }: NodeOp, message: string): Event => ({
  about: subjectOf(metadata),
  type: 'Warning',
  reason: 'Restored' satisfies Reason,
  message,
});

export const retried = (nodeOp: ParsedNodeOp, { nodes }: NodeOpStatus): Event => ({
  about: operationSubject(nodeOp),
  type: 'Normal',
  reason: 'Retried' satisfies Reason,
  message: `retrying ${nodes?.pending ?? 0} nodes that failed or never started`,
});

/** The Events of a change of the ledger: what was entered, skipped or concluded with it. */
export function ofChange(facts: Facts, change: LedgerChange): Event[] {
  const hasMoved = change.step !== undefined || change.result !== undefined;
  const wasRebooting = hasMoved && facts.ledger?.step === 'Reboot' && hasRebooted(facts);
  return [
    ...(change.reboot ? [rebootAsked(facts)] : []),
    ...(change.step === 'Run' ? podsStay(facts) : []),
    ...(change.step && !change.result ? [...clockWarnings(facts), ...preflightWarnings(facts)] : []),
    ...(change.nodeUid ? [registeredAnew(facts)] : []),
    ...(change.drainSkipped ? [drainSkipped(facts)] : []),
    ...(wasRebooting ? rebooted(facts) : []),
    ...(change.result ? [ended(facts, change.result)] : []),
  ];
}

/** Recorded once, when the node leaves the Claim step: nothing has been done to it yet. */
function clockWarnings(facts: Facts): Event[] {
  const message = facts.ledger?.step === 'Claim' ? clockSkewMessage(facts) : undefined;
  return message === undefined ? [] : [onOperation('ClockSkew', message, 'Warning')(facts)];
}

/** Recorded once, when the node leaves the Preflight step (or Claim, where the check needs no step of its own). */
function preflightWarnings(facts: Facts): Event[] {
  const { ledger, agent } = facts;
  if (ledger?.step !== 'Claim' && ledger?.step !== 'Preflight') return [];
  const check = agentAnswer(agent, ledger)?.check;
  return (check?.warnings ?? []).map(warning => onOperation('PreflightWarning', warning, 'Warning')(facts));
}

/** Recorded once, when the drain is finished: the pods that it left on the node. */
function podsStay(facts: Facts): Event[] {
  const { nodeOp, pods, ownNamespace, replacements, ledger } = facts;
  const options = nodeOp.spec.drainOptions;
  if (!nodeOp.spec.cordon || options?.enabled !== true || ledger?.drainSkipped === true) return [];
  const message = stayingMessage(classifyPods(pods, { options, ownNamespace, replacements }));
  return message === '' ? [] : [onOperation('PodsStay', message, 'Warning')(facts)];
}

/** An Event has room for 1024 bytes, and the end of a log usually names the error. */
const LOG_IN_EVENT = 600;

function ended(facts: Facts, result: NonNullable<Operation['result']>): Event {
  const { reason = 'Done', message, phase, exitCode, log } = result;
  const exit = exitCode === undefined ? '' : ` (exit code ${exitCode})`;
  const tail = log === undefined ? '' : `: ${log.slice(-LOG_IN_EVENT)}`;
  return onOperation(reason, `${message}${exit}${tail}`, phase === 'Failed' ? 'Warning' : 'Normal')(facts);
}
