/** Verifies that the node is healthy after its reboot, with the DaemonSet pods it had before, on the requested system. */
import { versionTriple } from '../../../api/version-triple.js';
import { after } from '../../../program/clock.js';
import { isControlPlane } from '../../cluster/control-plane.js';
import { isReady, bootIdOf } from '../../cluster/node.js';
import { isMirror, isPodReady, type CachedPod } from '../../cluster/pod.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { staticPodName } from '../facts/static-pods.js';
import { podName } from './drainable-pods.js';
import { awaitAbsentStaticPods } from './removed-static-pods.js';
import type { Step } from './step.js';

export const verify: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.spec.rebootOnSuccess,
  evaluate(facts): StepResult {
    const fallback = fallbackMessage(facts);
    if (fallback !== undefined) return fail('FellBack', fallback);
    const missing = missingHealth(facts);
    return missing === undefined ? settle(facts) : awaitHealth(facts, missing);
  },
};

/** The settling time starts again when the node becomes unhealthy in between. */
function awaitHealth(facts: Facts, missing: string): StepResult {
  const { ledger, now, nodeOp } = facts;
  const seconds = nodeOp.spec.verifyTimeoutSeconds;
  const until = verifyDeadline(facts);
  if (ledger?.readySince !== undefined)
    return act({ do: 'record', change: { readySince: null } }, { reason: 'Settling', message: missing });
  if (ledger?.step === 'Verify' && now >= until)
    return fail('NotSettled', `not healthy within ${seconds} s after its reboot: ${missing}`);
  return awaitAbsentStaticPods(facts) ?? wait('Settling', missing, until);
}

const verifyDeadline = (facts: Facts): Date =>
  after(stepStartedAt(facts, 'Verify'), facts.nodeOp.spec.verifyTimeoutSeconds);

function settle(facts: Facts): StepResult {
  const { ledger, now } = facts;
  const seconds = settleSeconds(facts);
  if (seconds === 0) return DONE;
  if (ledger?.readySince === undefined)
    return act(
      { do: 'record', change: { readySince: now.toISOString() } },
      { reason: 'Settling', message: 'settling' },
    );
  const until = after(new Date(ledger.readySince), seconds);
  return now >= until ? DONE : wait('Settling', 'settling', until);
}

/** A control plane is Ready before its etcd member and its API server have rejoined the others. */
const CONTROL_PLANE_SETTLE_SECONDS = 30;

function settleSeconds({ nodeOp, node, ledger }: Facts): number {
  /* A Node that was registered anew may have lost the label. */
  const isOne = ledger?.controlPlane === true || (node !== undefined && isControlPlane(node));
  const isUpgradedControlPlane = nodeOp.isUpgrade && isOne;
  return nodeOp.spec.settleSeconds ?? (isUpgradedControlPlane ? CONTROL_PLANE_SETTLE_SECONDS : 0);
}

const FALLBACK_STATES = new Set<string>(['passive', 'recovery', 'livecd']);

/** Set if another system or another version than the requested one has booted. */
function fallbackMessage(facts: Facts): string | undefined {
  const { agent, node, nodeOp } = facts;
  const booted = agent?.status?.boot;
  /* Release and boot state belong to the boot that they were read in; those of an earlier boot prove nothing about this one. */
  if (booted === undefined || booted.id !== bootIdOf(node)) return undefined;
  /* NodeOps that the legacy operator created for an upgrade have no `verify`. */
  const { version, bootState } = nodeOp.spec.verify ?? { bootState: nodeOp.isUpgrade ? 'active' : undefined };
  const running = runningVersion(facts);
  if (bootState !== undefined && FALLBACK_STATES.has(booted.state) && !mayBeTarget(booted.state, version, running))
    return `the node came back from its ${booted.state} system${running === undefined ? '' : ` on ${running}`}`;
  if (version !== undefined && running !== undefined && running !== version)
    return `the node came back on ${running} instead of ${version}`;
  return undefined;
}

/**
 * Undefined while it is not known. The agent may have read a release file that was just being written, so a mere beginning of the requested
 * version is a version of its own only when it has lasted.
 */
function runningVersion(facts: Facts): string | undefined {
  const running = versionTriple(facts.agent?.status?.release);
  const requested = facts.nodeOp.spec.verify?.version;
  const mayBeIncomplete = running !== undefined && running !== requested && requested?.startsWith(running) === true;
  return mayBeIncomplete && facts.now < verifyDeadline(facts) ? undefined : running;
}

/** A machine that boots from the network or keeps its system in memory runs a live system for good: there, the version alone decides. */
const mayBeTarget = (state: string, version: string | undefined, running: string | undefined): boolean =>
  state === 'livecd' && version !== undefined && (running === undefined || running === version);

/** What is still missing for the node to be healthy. */
function missingHealth(facts: Facts): string | undefined {
  const { node, agent, nodeOp } = facts;
  if (!isReady(node)) return 'waiting for the node to be Ready';
  if (agent?.status?.boot?.id !== bootIdOf(node)) return 'waiting for the agent to report the new boot';
  if (nodeOp.spec.verify?.version !== undefined && runningVersion(facts) === undefined)
    return 'waiting for the agent to report the version';
  return missingStaticPod(facts) ?? missingDaemonSetPod(facts);
}

/** A control plane without its etcd or API server is none, although its Node is Ready. */
function missingStaticPod({ ledger, pods }: Facts): string | undefined {
  const isBack = (name: string) =>
    pods.some(pod => isMirror(pod) && staticPodName(pod) === name && isReadyAgain(pod, ledger));
  const missing = ledger?.staticPods?.find(name => !isBack(name));
  return missing === undefined ? undefined : `waiting for static pod ${missing}`;
}

/** DaemonSets that were deleted meanwhile, or that do not want a pod on this node any more, are not waited for. */
function missingDaemonSetPod({ ledger, pods, daemonSets }: Facts): string | undefined {
  for (const uid of ledger?.daemonSets?.filter(set => daemonSets.has(set)) ?? []) {
    const own = pods.filter(pod => pod.metadata.ownerReferences?.some(owner => owner.uid === uid));
    if (own.some(pod => isReadyAgain(pod, ledger))) continue;
    return own[0] ? `waiting for pod ${podName(own[0])}` : 'waiting for the pod of a DaemonSet';
  }
  return undefined;
}

const isReadyAgain = (pod: CachedPod, ledger: Facts['ledger']): boolean =>
  isPodReady(pod) && hasNewContainers(pod, ledger?.containersBefore ?? []);

/** The kubelet may still report the containers from before the reboot as running. */
const hasNewContainers = (pod: CachedPod, before: readonly string[]): boolean =>
  (pod.status.containerStatuses ?? []).every(
    ({ containerID }) => containerID !== undefined && !before.includes(containerID),
  );
