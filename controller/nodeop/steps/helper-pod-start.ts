/** How long the helper Pods for preflight and image pull may take to start. */
import type { StepName } from '../../../api/node-status.js';
import { mayBePulling, startError, waitingContainerOf } from '../../cluster/container-wait.js';
import type { CachedPod } from '../../cluster/pod.js';
import { after } from '../../../program/clock.js';
import { awaitReadyNode } from './node-readiness.js';
import { stepStartedAt, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { ownValue } from '../../../program/own-value.js';

const NOT_READY = ': the node is not Ready';

/** Undefined while the image may still be pulled, which has a deadline of its own. */
export function awaitHelperPodStart(
  facts: Facts,
  step: StepName,
  pod: CachedPod,
  image: string,
): StepResult | undefined {
  const { node, now, nodeOp } = facts;
  const seconds = nodeOp.spec.startDeadlineSeconds;
  const tooLate = (cause: string) =>
    fail('NotStarted', `${step} failed: its Pod did not start within ${seconds} s${cause}`);
  const notReady = awaitReadyNode(facts, seconds, () => tooLate(NOT_READY), {
    reason: 'Progressing',
    message: `${step} in progress${NOT_READY}`,
    readyAgain: { reason: 'Progressing', message: `${step} in progress` },
  });
  if (notReady) return notReady;
  if (mayBePulling(pod, image, node)) return undefined;
  const until = after(waitingSince(facts, step), seconds);
  const cause = startCause(pod);
  return now >= until ? tooLate(cause) : wait('Progressing', `${step} in progress${cause}`, until);
}

function startCause(pod: CachedPod): string {
  const container = waitingContainerOf(pod);
  const error = container && startError(container);
  return error === undefined ? '' : `: ${error}`;
}

/** The time that the pull took does not count. The status shows since when the Pod has been waiting for anything but the pull. */
function waitingSince(facts: Facts, step: StepName): Date {
  const entry = ownValue(facts.nodeOp.status.nodeStatuses, facts.name);
  if (entry?.step !== step) return stepStartedAt(facts, step);
  if (entry.reason === 'Pulling') return facts.now;
  return entry.reason === 'Progressing' && entry.lastUpdated !== undefined
    ? new Date(entry.lastUpdated)
    : stepStartedAt(facts, step);
}
