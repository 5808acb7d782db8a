/** Helper Pods that the kubelet rejected or ended, or that went down with the node: another one is created, for a limited time. */
import type { StepName } from '../../../api/node-status.js';
import type { Reason } from '../../../api/reasons.js';
import { after } from '../../../program/clock.js';
import { endCause, isDisrupted } from '../../cluster/pod-end.js';
import { containerNamed, type CachedPod } from '../../cluster/pod.js';
import { act, type Facts, fail, refusalTimeout, type StepResult, wait } from '../facts/facts.js';

/** A node that rejects Pods would reject them as fast as they are created. */
const PAUSE_SECONDS = 10;

/** The Pod has failed, and not by the exit code of its own container. While added containers still end, the phase is not Failed yet. */
export function isLost(pod: CachedPod, container: string): boolean {
  const ended = containerNamed(pod, container)?.state?.terminated;
  return ended === undefined ? pod.status.phase === 'Failed' : ended.exitCode !== 0 && isDisrupted(pod);
}

/** Replaces a lost Pod until startDeadlineSeconds after the first one of this step was lost. */
export function replaceLostPod(facts: Facts, step: StepName, pod: CachedPod): StepResult {
  const { ledger, now, nodeOp } = facts;
  const cause = endCause(pod) ?? 'container did not report a terminated state';
  const key = `${step}Lost`;
  const first = ledger?.stepTimes[key];
  if (first === undefined || ledger?.waiting?.for !== pod.metadata.uid) {
    const at = now.toISOString();
    const change = {
      waiting: { for: pod.metadata.uid, since: at },
      stepTimes: { ...ledger?.stepTimes, [key]: first ?? at },
    };
    return act({ do: 'record', change }, { message: `${step} in progress: ${cause}` });
  }
  const seconds = nodeOp.spec.startDeadlineSeconds;
  if (now >= after(new Date(first), seconds))
    return fail('NotStarted', `${step} failed: its Pod did not start within ${seconds} s: ${cause}`);
  const until = after(new Date(ledger.waiting.since), PAUSE_SECONDS);
  if (now < until || pod.metadata.deletionTimestamp !== undefined)
    return wait('Progressing', `${step} in progress: its Pod was lost and is created again: ${cause}`, until);
  return act({ do: 'deletePods', pods: [pod] }, { message: `${step} in progress: ${cause}` });
}

/**
 * Creates the Pod of a step. One that vanishes is created again after a pause, because something may have deleted it by mistake, but not for
 * longer than startDeadlineSeconds after the first one vanished.
 */
export function createHelperPod(
  facts: Facts,
  step: 'Preflight' | 'Pull',
  why: { reason?: Reason; message: string },
): StepResult {
  const { ledger, now, nodeOp, createdPods } = facts;
  const pod = step === 'Pull' ? 'pull' : 'preflight';
  const create = act({ do: 'createPod', pod }, why);
  const createdAt = createdPods?.[pod];
  if (createdAt === undefined) return refusalTimeout(facts, step) ?? create;
  const message = `${step} in progress: its Pod has vanished and is created again`;
  const key = `${step}Lost`;
  const first = ledger?.stepTimes[key];
  if (first === undefined) {
    const stepTimes = { ...ledger?.stepTimes, [key]: now.toISOString() };
    return act({ do: 'record', change: { stepTimes } }, { message });
  }
  const seconds = nodeOp.spec.startDeadlineSeconds;
  if (now >= after(new Date(first), seconds))
    return fail('NotStarted', `${step} failed: its Pod has vanished again and again for ${seconds} s`);
  const until = after(createdAt, PAUSE_SECONDS);
  return now < until ? wait('Progressing', message, until) : (refusalTimeout(facts, step) ?? create);
}
