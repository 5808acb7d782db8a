/** The node is well again, with the pods it had, on the system that was wished for. */
import { versionTriple } from '../../../api/version-triple.js';
import { isPodReady, type CachedPod } from '../../cluster/pod.js';
import { isReady, bootIdOf } from '../../cluster/node.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { after } from '../../../program/clock.js';
import { isControlPlane } from '../../cluster/control-plane.js';
import type { Step } from './step.js';
import { podName } from './drainable-pods.js';

export const verify: Step = {
  isNeeded: ({ nodeOp }) => nodeOp.spec.rebootOnSuccess,
  evaluate(facts): StepResult {
    const { ledger, now, nodeOp } = facts;
    const wrong = otherSystem(facts);
    if (wrong !== undefined) return fail('FellBack', wrong);
    const until = after(stepStartedAt(facts, 'Verify'), nodeOp.spec.verifyTimeoutSeconds);
    const missing = notWell(facts);
    if (missing !== undefined) {
      if (ledger?.readySince !== undefined)
        return act({ do: 'record', change: { readySince: null } }, { reason: 'Settling', message: missing });
      if (ledger?.step === 'Verify' && now >= until)
        return fail('NotSettled', `not well within ${nodeOp.spec.verifyTimeoutSeconds} s after its reboot: ${missing}`);
      return wait('Settling', missing, until);
    }
    const settle = settleSeconds(facts);
    if (settle === 0) return DONE;
    if (ledger?.readySince === undefined)
      return act(
        { do: 'record', change: { readySince: now.toISOString() } },
        { reason: 'Settling', message: 'settling' },
      );
    const settled = after(new Date(ledger.readySince), settle);
    return now >= settled ? DONE : wait('Settling', 'settling', settled);
  },
};

/** etcd and the API server on a control plane find each other again only after it is Ready. */
const CONTROL_PLANE_SETTLE_SECONDS = 30;

function settleSeconds({ nodeOp, node }: Facts): number {
  const unset = nodeOp.isUpgrade && node !== undefined && isControlPlane(node) ? CONTROL_PLANE_SETTLE_SECONDS : 0;
  return nodeOp.spec.settleSeconds ?? unset;
}

const FALLEN = new Set<string>(['passive', 'recovery', 'livecd']);

/** In words, if another version or another system came up than asked for. */
function otherSystem({ agent, nodeOp }: Facts): string | undefined {
  /* An operation that an earlier operator made for an upgrade does not say so. */
  const { version, bootState } = nodeOp.spec.verify ?? { bootState: nodeOp.isUpgrade ? 'active' : undefined };
  const running = versionTriple(agent?.status?.release);
  const booted = agent?.status?.boot?.state;
  if (bootState !== undefined && booted !== undefined && FALLEN.has(booted))
    return `the node came back from its ${booted} system${running === undefined ? '' : ` on ${running}`}`;
  if (version !== undefined && running !== undefined && running !== version)
    return `the node came back on ${running} instead of ${version}`;
  return undefined;
}

/** What is still missing, in words. */
function notWell(facts: Facts): string | undefined {
  const { node, agent, ledger, pods, daemonSets, nodeOp } = facts;
  if (!isReady(node)) return 'waiting for the node to be Ready';
  const boot = agent?.status?.boot;
  if (boot?.id !== bootIdOf(node)) return 'waiting for the agent to report the new boot';
  if (nodeOp.spec.verify?.version !== undefined && versionTriple(agent?.status?.release) === undefined)
    return 'waiting for the agent to tell the version';
  for (const uid of ledger?.daemonSets?.filter(set => daemonSets.has(set)) ?? []) {
    const own = pods.filter(pod => pod.metadata.ownerReferences?.some(owner => owner.uid === uid));
    if (own.some(pod => isPodReady(pod) && startedAnew(pod, ledger?.containersBefore ?? []))) continue;
    return own[0] ? `waiting for pod ${podName(own[0])}` : 'waiting for the pod of a DaemonSet';
  }
  return undefined;
}

/** None of its containers is one that ran before the reboot. */
const startedAnew = (pod: CachedPod, before: readonly string[]): boolean =>
  (pod.status.containerStatuses ?? []).every(
    ({ containerID }) => containerID !== undefined && !before.includes(containerID),
  );
