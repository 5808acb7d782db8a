/** Chooses the nodes of one operation that may start in this pass, and says why each of the others waits. Pure. */
import type { NodeStatus } from '../../api/node-status.js';
import { isControlPlane } from '../cluster/control-plane.js';
import { isReady } from '../cluster/node.js';
import { slotCount } from '../cluster/targets.js';
import type { Facts, PodRefusal } from './facts/facts.js';
import type { ParsedNodeOp } from './facts/parsed-nodeop.js';
import { type RolloutState, rolloutStateOf } from './status/node-status.js';
import { hasWaitDeadline } from './status/wait-deadlines.js';
import { otherOperation } from './steps/claim.js';
import { otherControlPlanesWaitReason } from './steps/control-plane.js';
import type { Walk } from './steps/walk.js';

/** A node with its step and its last written status. */
export interface Member {
  facts: Facts;
  walk: Walk;
  before: NodeStatus | undefined;
}

export interface WaitReason {
  reason: NonNullable<NodeStatus['reason']>;
  message: string;
  /** What is not Ready, for the message after the deadline. */
  unready?: string;
}

export const STOPPED: WaitReason = { reason: 'Stopped', message: 'not started: another node failed' };

export interface Turns {
  /** Nodes that may start in this pass. */
  granted: ReadonlySet<string>;
  /** Why each of the other nodes waits. */
  waiting: ReadonlyMap<string, WaitReason>;
}

/**
 * Slots are counted from what is observed, never remembered. A node that only has to be released occupies none.
 * A node that is not Ready reports it, and its start deadline runs, only while a slot is free for it.
 */
export function nextNodes(nodeOp: ParsedNodeOp, members: readonly Member[]): Turns {
  const waiting = new Map<string, WaitReason>();
  const granted = new Set<string>();
  const states = new Map(members.map(each => [each.facts.name, rolloutStateOf(each)]));
  const stopped = members.some(each => hasFailed(each) && stopsOthers(nodeOp, each));
  const controlPlanes = members.filter(isControlPlaneMember).map(each => each.facts.name);
  const lostControlPlane = members.find(isLostControlPlane)?.facts.name;
  const active = [...states.values()].filter(each => each === 'active').length;
  let free = slotCount(nodeOp.spec.concurrency, members.length) - active;
  for (const { facts } of members.filter(each => states.get(each.facts.name) === 'pending')) {
    const reason = waitReason(nodeOp, facts, { stopped, controlPlanes, lostControlPlane, states, granted });
    if (reason && (!hasWaitDeadline(reason.reason) || free > 0)) waiting.set(facts.name, reason);
    else if (free > 0) {
      free -= 1;
      granted.add(facts.name);
    } else waiting.set(facts.name, { reason: 'WaitingForTurn', message: 'waiting for its turn' });
  }
  return { granted, waiting };
}

/** A Node that was deleted, or registered anew, may have lost the label; that it took its turn as a control plane is recorded. */
const isControlPlaneMember = ({ facts: { node, ledger }, before }: Member): boolean =>
  (node !== undefined && isControlPlane(node)) ||
  ledger?.controlPlane === true ||
  before?.stepTimes?.ControlPlane !== undefined;

/** It did not come back from its reboot, and its Node is gone: the others may still count it as a member of etcd. */
function isLostControlPlane(member: Member): boolean {
  const { facts, before } = member;
  const { node, ledger } = facts;
  const wasRemoved = hasFailed(member) && (ledger?.result?.reason ?? before?.reason) === 'NodeRemoved';
  const wasToReboot = (ledger ?? before)?.stepTimes?.Reboot !== undefined;
  return node === undefined && wasRemoved && wasToReboot && isControlPlaneMember(member);
}

/** A failure counts from when it is recorded, although the node is not released yet. */
const hasFailed = ({ facts, before }: Member): boolean =>
  before?.phase === 'Failed' || before?.ending === 'Failed' || facts.ledger?.result?.phase === 'Failed';

/** A system image from which one node fell back must not reach any other node, even without stopOnFailure. */
const stopsOthers = (nodeOp: ParsedNodeOp, { facts, before }: Member): boolean =>
  nodeOp.spec.stopOnFailure || before?.reason === 'FellBack' || facts.ledger?.result?.reason === 'FellBack';

interface TurnContext {
  stopped: boolean;
  controlPlanes: readonly string[];
  lostControlPlane: string | undefined;
  states: ReadonlyMap<string, RolloutState>;
  granted: ReadonlySet<string>;
}

/** Why a node does not start even if a slot is free. Such a node occupies no slot. */
function waitReason(nodeOp: ParsedNodeOp, facts: Facts, context: TurnContext): WaitReason | undefined {
  const { node, agent, podRefusal } = facts;
  if (nodeOp.isDeleting) return { reason: 'Deleted', message: 'the operation is being deleted' };
  if (context.stopped) return STOPPED;
  if (nodeOp.spec.paused) return { reason: 'Paused', message: 'not started: the operation is paused' };
  if (node === undefined) return { reason: 'NodeRemoved', message: 'the node left the cluster before its turn' };
  const other = otherOperation(facts);
  if (other !== undefined) return { reason: 'WaitingForOperation', message: `waiting for operation ${other}` };
  if (podRefusal !== undefined) return { reason: 'PodRefused', message: refusalMessage(podRefusal) };
  if (!isReady(node)) return { reason: 'NodeNotReady', message: 'waiting for the node to be Ready' };
  if (agent === undefined) return { reason: 'WaitingForAgent', message: 'waiting for the NodeAgent of the node' };
  if (!nodeOp.isDisruptive) return undefined;
  return isControlPlane(node) ? controlPlaneWaitReason(facts, context) : workerWaitReason(nodeOp, context);
}

const refusalMessage = ({ is, message }: PodRefusal): string =>
  is === 'refused'
    ? `the Pod of the Job would be refused: ${message}`
    : `it is unknown whether the Pod of the Job would be admitted: ${message}`;

function controlPlaneWaitReason(facts: Facts, context: TurnContext): WaitReason | undefined {
  const { controlPlanes, lostControlPlane, states, granted } = context;
  const others = controlPlanes.filter(other => other !== facts.name);
  const isOtherActive = others.some(other => states.get(other) === 'active' || granted.has(other));
  if (isOtherActive) return { reason: 'WaitingForTurn', message: 'control planes go one at a time' };
  if (lostControlPlane !== undefined)
    return { reason: 'ControlPlaneNotReady', message: `waiting for control plane ${lostControlPlane} to be Ready` };
  return otherControlPlanesWaitReason(facts);
}

/** The workers of an upgrade start after all control planes, and not at all when one of those failed. */
function workerWaitReason(nodeOp: ParsedNodeOp, { controlPlanes, states }: TurnContext): WaitReason | undefined {
  if (!nodeOp.isUpgrade || controlPlanes.every(name => states.get(name) === 'completed')) return undefined;
  if (controlPlanes.some(name => states.get(name) === 'failed'))
    return { reason: 'Stopped', message: 'not started: a control plane failed' };
  return { reason: 'WaitingForControlPlanes', message: 'workers start when every control plane is done' };
}
