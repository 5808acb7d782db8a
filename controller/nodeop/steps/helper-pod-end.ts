/** Helper Pods that the kubelet rejected or ended, or that went down with the node: another one is created, for a limited time. */
import type { StepName } from '../../../api/node-status.js';
import { after } from '../../../program/clock.js';
import { endCause, isDisrupted } from '../../cluster/pod-end.js';
import { containerNamed, type CachedPod } from '../../cluster/pod.js';
import { act, type Facts, fail, type StepResult, wait } from '../facts/facts.js';

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
