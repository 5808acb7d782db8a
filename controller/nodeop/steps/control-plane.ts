/**
 * Over all operations, one control plane at a time is disrupted, and none while another one is not Ready: etcd needs its majority.
 */
import { isControlPlane } from '../../cluster/control-plane.js';
import { after } from '../../../program/clock.js';
import { act, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { endRefused } from './refused-act.js';
import type { Step } from './step.js';
import { ownValue } from '../../../program/own-value.js';

const isDisruptedControlPlane = ({ nodeOp, node }: Facts): boolean =>
  nodeOp.isDisruptive && node !== undefined && isControlPlane(node);

export const controlPlane: Step = {
  isNeeded: isDisruptedControlPlane,
  evaluate: facts => awaitControlPlaneTurn(facts) ?? DONE,
};

/**
 * What a control plane waits for before it may be disrupted; undefined when it may. Evaluated again before the reboot, because the node
 * may have become a control plane during its walk, and another one may have failed since.
 */
export function awaitControlPlaneTurn(facts: Facts): StepResult | undefined {
  if (!isDisruptedControlPlane(facts)) return undefined;
  const hasTurn = facts.ledger?.controlPlane === true;
  const reason = hasTurn ? notReadyReason(facts) : otherControlPlanesWaitReason(facts);
  if (reason?.reason === 'ControlPlaneNotReady') return awaitReady(facts, reason);
  if (reason) return wait(reason.reason, reason.message);
  if (hasTurn) return undefined;
  const take = act({ do: 'takeControlPlane', change: { controlPlane: true } }, { message: 'taking its turn' });
  /* That another node has the turn is no refusal, and may last. */
  if (facts.writeRefusal?.startsWith(TURN_TAKEN) === true) return take;
  return endRefused(facts, 'the turn of the control planes', words => turnRefused(facts, words)) ?? take;
}

const TURN_TAKEN = 'the turn of the control planes is that of node ';
export const turnTakenMessage = (node: string): string => TURN_TAKEN + node;

const turnRefused = ({ ledger }: Facts, words: string): StepResult =>
  ledger?.stepTimes.Run === undefined
    ? fail('NotStarted', `the turn of the control planes could not be taken: ${words}`)
    : fail('NotRebooted', `the command has run, but the turn of the control planes could not be taken: ${words}`);

/** The deadline counts from when the status first had this reason: waiting for the turn may have taken long before. */
function awaitReady({ nodeOp, name, now }: Facts, { reason, message, unready }: ControlPlaneWaitReason): StepResult {
  const entry = ownValue(nodeOp.status.nodeStatuses, name);
  const since = entry?.reason === reason && entry.lastUpdated !== undefined ? new Date(entry.lastUpdated) : now;
  const seconds = nodeOp.spec.startDeadlineSeconds;
  const until = after(since, seconds);
  return now >= until ? fail(reason, controlPlaneTimeout(seconds, unready)) : wait(reason, message, until);
}

/** The message of a node that has waited for too long with reason ControlPlaneNotReady. */
export const controlPlaneTimeout = (seconds: number, unready = 'another control plane'): string =>
  `${unready} was not Ready within ${seconds} s`;

type ControlPlaneWaitReason = {
  reason: 'WaitingForTurn' | 'WaitingForOperation' | 'ControlPlaneNotReady';
  message: string;
  /** What is not Ready, where it is more than the Node. */
  unready?: string;
};

/** Why this control plane must not be disrupted in the present state of the others. */
export function otherControlPlanesWaitReason(facts: Facts): ControlPlaneWaitReason | undefined {
  const { nodeOp, ledger, otherControlPlanes } = facts;
  /*
   * Two nodes that became control planes while their Jobs ran would wait for each other's cordon indefinitely. After the Job only the
   * turn counts, therefore.
   */
  const hasRun = ledger?.stepTimes.Run !== undefined;
  const other = hasRun ? otherControlPlanes.turnHolder : otherControlPlanes.active;
  if (other?.operation === `${nodeOp.namespace}/${nodeOp.meta.name}`)
    return { reason: 'WaitingForTurn', message: 'control planes go one at a time' };
  if (other)
    return {
      reason: 'WaitingForOperation',
      message: `waiting for operation ${other.operation}, which works on control plane ${other.node}`,
    };
  return notReadyReason(facts);
}

/** A Node is Ready before its etcd member and its API server are, which may be static pods. */
function notReadyReason({
  otherControlPlanes: { notReady, unconfirmed, unreadyStaticPod },
}: Facts): ControlPlaneWaitReason | undefined {
  if (notReady !== undefined)
    return { reason: 'ControlPlaneNotReady', message: `waiting for control plane ${notReady} to be Ready` };
  if (unconfirmed !== undefined)
    return {
      reason: 'ControlPlaneNotReady',
      message: `waiting for the agent of control plane ${unconfirmed} to confirm that it will not reboot`,
    };
  if (unreadyStaticPod === undefined) return undefined;
  const unready = `static pod ${unreadyStaticPod.pod} of control plane ${unreadyStaticPod.node}`;
  return { reason: 'ControlPlaneNotReady', message: `waiting for ${unready} to be Ready`, unready };
}
