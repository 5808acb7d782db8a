/** Of all control planes of the cluster, one at a time is disturbed, and none while another is not Ready: etcd needs its majority. */
import { isControlPlane } from '../../cluster/control-plane.js';
import { act, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { after } from '../../../program/clock.js';
import type { Step } from './step.js';

const isDisturbed = ({ nodeOp, node }: Facts): boolean =>
  nodeOp.isDisruptive && node !== undefined && isControlPlane(node);

export const controlPlane: Step = {
  isNeeded: isDisturbed,
  evaluate: facts => awaitControlPlaneTurn(facts) ?? DONE,
};

/**
 * What a control plane waits for before it is disturbed; undefined when it may be. Asked again before the reboot: a node may have become a control plane
 * in the middle of its walk, and another one may have gone down since.
 */
export function awaitControlPlaneTurn(facts: Facts): StepResult | undefined {
  if (!isDisturbed(facts)) return undefined;
  const held = facts.ledger?.controlPlane === true ? heldByDown(facts) : otherControlPlanesWaitReason(facts);
  if (held?.reason === 'ControlPlaneNotReady') return whileOthersAreDown(facts, held);
  if (held) return wait(held.reason, held.message);
  if (facts.ledger?.controlPlane === true) return undefined;
  return act({ do: 'takeControlPlane', change: { controlPlane: true } }, { message: 'taking its turn' });
}

/** Since when it waits for that, and not for its turn, the report tells. */
function whileOthersAreDown({ nodeOp, name, now }: Facts, { reason, message }: ControlPlaneWaitReason): StepResult {
  const before = nodeOp.status.nodeStatuses?.[name];
  const since = before?.reason === reason && before.lastUpdated !== undefined ? new Date(before.lastUpdated) : now;
  const seconds = nodeOp.spec.startDeadlineSeconds;
  const until = after(since, seconds);
  return now >= until
    ? fail(reason, `another control plane was not Ready within ${seconds} s`)
    : wait(reason, message, until);
}

type ControlPlaneWaitReason = {
  reason: 'WaitingForTurn' | 'WaitingForOperation' | 'ControlPlaneNotReady';
  message: string;
};

/** Why no control plane may be disturbed beside the others as they are. */
export function otherControlPlanesWaitReason(facts: Facts): ControlPlaneWaitReason | undefined {
  const { nodeOp, ledger, otherControlPlanes } = facts;
  /* At the end of their Jobs two that became control planes meanwhile would wait for each other's cordon for ever: there the turn alone counts. */
  const worked = ledger?.stepTimes.Run === undefined ? otherControlPlanes.active : otherControlPlanes.turnHolder;
  if (worked?.operation === `${nodeOp.namespace}/${nodeOp.meta.name}`)
    return { reason: 'WaitingForTurn', message: 'control planes go one at a time' };
  if (worked)
    return {
      reason: 'WaitingForOperation',
      message: `waiting for operation ${worked.operation}, which works on control plane ${worked.node}`,
    };
  return heldByDown(facts);
}

const heldByDown = ({ otherControlPlanes: { notReady } }: Facts): ControlPlaneWaitReason | undefined =>
  notReady === undefined
    ? undefined
    : { reason: 'ControlPlaneNotReady', message: `waiting for control plane ${notReady} to be Ready` };
