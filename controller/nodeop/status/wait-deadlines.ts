/** Deadlines of nodes that wait for something with a slot free: none of them waits indefinitely. */
import type { NodeStatus } from '../../../api/node-status.js';
import { controlPlaneTimeout } from '../steps/control-plane.js';
import type { Facts } from '../facts/facts.js';

type Reason = NonNullable<NodeStatus['reason']>;

interface Timeout {
  reason: Reason;
  message: (seconds: number, waiting: { message?: string; unready?: string }) => string;
}

const notWithin =
  (condition: string): Timeout['message'] =>
  seconds =>
    `${condition} within ${seconds} s`;

/** By the reason for the wait: the reason and message when startDeadlineSeconds have passed. */
const TIMEOUTS = new Map<string, Timeout>([
  ['NodeNotReady', { reason: 'NodeNotReady', message: notWithin('the node was not Ready') }],
  ['WaitingForAgent', { reason: 'AgentNotAnswering', message: notWithin('the node had no NodeAgent') }],
  [
    'ControlPlaneNotReady',
    { reason: 'ControlPlaneNotReady', message: (seconds, { unready }) => controlPlaneTimeout(seconds, unready) },
  ],
  ['PodRefused', { reason: 'PodRefused', message: (seconds, { message = '' }) => `for ${seconds} s, ${message}` }],
]);

export const hasWaitDeadline = (reason: string | undefined): boolean => TIMEOUTS.has(reason ?? '');

interface Wait {
  before: NodeStatus | undefined;
  waiting?: { reason: Reason; message: string; unready?: string };
}

/** The reason and message with which a node fails that has waited for too long; the wait counts from `lastUpdated` of its entry. */
export function waitTimeout(
  { nodeOp, now }: Pick<Facts, 'nodeOp' | 'now'>,
  { before, waiting }: Wait,
): Pick<NodeStatus, 'reason' | 'message'> | undefined {
  const timeout = TIMEOUTS.get(waiting?.reason ?? '');
  if (timeout === undefined || before?.reason !== waiting?.reason || before?.lastUpdated === undefined)
    return undefined;
  const seconds = nodeOp.spec.startDeadlineSeconds;
  if (now.getTime() - Date.parse(before.lastUpdated) < seconds * 1000) return undefined;
  return { reason: timeout.reason, message: timeout.message(seconds, waiting ?? {}) };
}
