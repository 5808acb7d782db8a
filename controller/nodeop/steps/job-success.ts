/**
 * What follows when the command has succeeded and its Job is not Complete. The Job may never be: a container that admission added does not
 * end, or the Pod was taken away before its sentinel was written. The success is recorded first, because the Pod that proves it may vanish.
 */
import { CONTAINERS } from '../../../api/names.js';
import { after } from '../../../program/clock.js';
import { isAdopted } from '../../cluster/adopted-job.js';
import { startError, waitingContainerOf } from '../../cluster/container-wait.js';
import { type CachedJob, conditionOf } from '../../cluster/job.js';
import { isTerminating } from '../../cluster/metadata.js';
import { bootIdOf } from '../../cluster/node.js';
import { endCause, isDisrupted } from '../../cluster/pod-end.js';
import { addedContainersOf, containerNamed, isEnding, newestOf, type CachedPod } from '../../cluster/pod.js';
import { act, type Facts, fail, stepStartedAt, type StepResult, wait } from '../facts/facts.js';
import { awaitPull, pullStateOf } from './image-wait.js';
import { sentinelFailed } from './job-failure.js';
import { isPhaseOverdue } from './job-progress.js';

/** Added containers that end by themselves do it soon after ours. */
const ADDED_CONTAINER_SECONDS = 10;

const SUCCEEDED = 'Succeeded';
const SENTINEL = 'Sentinel';

const exitCodeOf = (pod: CachedPod | undefined, container: string): number | undefined =>
  pod && containerNamed(pod, container)?.state?.terminated?.exitCode;

/**
 * A Pod that has succeeded proves it before the Job controller, which may be late, has set the condition. A Job of the legacy operator needs
 * the condition, because its time is compared with the boot of the node.
 */
export const isSuccessful = ({ jobPods }: Pick<Facts, 'jobPods'>, job: CachedJob): boolean =>
  conditionOf(job, 'Complete') !== undefined || (!isAdopted(job) && !isTimedOut(job) && jobPods.some(isSucceeded));

/** A command that ends while its Pod is terminated has not kept to activeDeadlineSeconds. The Job is Failed when the Pod is gone. */
const isTimedOut = (job: CachedJob): boolean =>
  [conditionOf(job, 'FailureTarget'), conditionOf(job, 'Failed')].some(each => each?.reason === 'DeadlineExceeded');

const isSucceeded = ({ status }: CachedPod): boolean => status.phase === 'Succeeded';

/** Undefined when there is nothing to record. A Job of the legacy operator has rules of its own about the boot in which it ended. */
export function recordSuccess(facts: Facts, job: CachedJob): StepResult | undefined {
  const { jobPods, ledger, now } = facts;
  const pod = jobPods.find(each => exitCodeOf(each, CONTAINERS.work) === 0);
  if ((pod === undefined && !hasFailedAfterCommand(job)) || isAdopted(job) || isTimedOut(job)) return undefined;
  if (ledger?.job === undefined || ledger.job.succeededIn !== undefined) return undefined;
  if (pod && isEnding(pod) && !isPhaseOverdue(facts, pod) && isKept(job)) return undefined;
  const added = pod ? addedContainersOf(pod) : [];
  const change = {
    job: { ...ledger.job, succeededIn: bootOfSuccess(facts), ...(added.length > 0 ? { added } : {}) },
    stepTimes: { ...ledger.stepTimes, [SUCCEEDED]: now.toISOString() },
  };
  return act({ do: 'record', change }, { message: 'Job is running' });
}

/** The Pod of a Job that is suspended or deleted goes before its phase is reported, and what it proves with it. */
const isKept = (job: CachedJob): boolean => job.spec.suspend !== true && !isTerminating(job);

/** By the condition `Initialized`, or by a sentinel that was killed; the kubelet reports 137 also for one that had not started yet. */
const TAKEN_AWAY = new RegExp(
  ` has condition Initialized matching FailJob rule |^Container ${CONTAINERS.sentinel} .* failed with exit code (137|143) `,
);

/**
 * The rule of podFailurePolicy for a Pod that was taken away after its command. The Job keeps its words when the Pod vanishes before any
 * controller has seen it.
 */
const hasFailedAfterCommand = (job: CachedJob): boolean => {
  const { reason, message = '' } = conditionOf(job, 'Failed') ?? {};
  return reason === 'PodFailurePolicy' && TAKEN_AWAY.test(message);
};

/** Known only if the node has not booted since the step began; otherwise the command may have succeeded before or after that boot. */
function bootOfSuccess({ node, agent, ledger }: Facts): string {
  const [current, reported] = [bootIdOf(node), agent?.status?.boot?.id];
  const isSame = current === ledger?.bootIdBefore && (reported === undefined || reported === current);
  return isSame ? (current ?? '') : '';
}

/** The Pod that proves it is deleted when the Job is stopped. */
export const isSentinelWritten = ({ jobPods, ledger }: Pick<Facts, 'jobPods' | 'ledger'>): boolean =>
  jobPods.some(pod => exitCodeOf(pod, CONTAINERS.sentinel) === 0) || ledger?.stepTimes[SENTINEL] !== undefined;

/** Before the Job is stopped; undefined when there is nothing to record. */
export function recordSentinel(facts: Facts): StepResult | undefined {
  const { ledger, now } = facts;
  if (!isSentinelWritten(facts) || ledger?.stepTimes[SENTINEL] !== undefined) return undefined;
  const stepTimes = { ...ledger?.stepTimes, [SENTINEL]: now.toISOString() };
  return act({ do: 'record', change: { stepTimes } }, { message: 'the command has succeeded; stopping the Job' });
}

/** `pod`: the live Pod of a Job that still runs. Undefined when nothing more is to be expected from it. */
export function awaitRecord(facts: Facts, pod: CachedPod | undefined): StepResult | undefined {
  if (facts.nodeOp.spec.rebootOnSuccess && !isSentinelWritten(facts)) return awaitSentinel(facts, pod);
  if (pod === undefined) return undefined;
  const added = addedContainersOf(pod).join(', ');
  /* Without one, the Pod has ended, and its phase follows. */
  const seconds = added === '' ? facts.nodeOp.spec.startDeadlineSeconds : ADDED_CONTAINER_SECONDS;
  const until = after(stepStartedAt(facts, SUCCEEDED), seconds);
  const message =
    added === '' ? 'Job is running' : `the command has succeeded; waiting for the added container ${added}`;
  return facts.now < until ? wait('JobRunning', message, until) : undefined;
}

/** The sentinel follows the command in the same boot. Without it, the ledger permits the reboot if it knows in which boot the command succeeded. */
function awaitSentinel(facts: Facts, pod: CachedPod | undefined): StepResult | undefined {
  const { jobPods, ledger, nodeOp, node, now } = facts;
  const newest = newestOf(jobPods);
  const ended = newest && containerNamed(newest, CONTAINERS.sentinel)?.state?.terminated;
  if (newest && ended && !isDisrupted(newest)) {
    const log = ended.message?.trim();
    const cause = `container ${CONTAINERS.sentinel} ended with exit code ${ended.exitCode}`;
    return sentinelFailed(log ? `${cause}: ${log}` : cause, { log, exitCode: ended.exitCode });
  }
  const succeededIn = ledger?.job?.succeededIn ?? '';
  const until = after(stepStartedAt(facts, SUCCEEDED), nodeOp.spec.startDeadlineSeconds);
  const isSameBoot = succeededIn === '' || bootIdOf(node) === succeededIn;
  if (pod && pod.metadata.deletionTimestamp === undefined && isSameBoot) {
    const pull = awaitSentinelImage(facts, pod);
    /* What the sentinel would prove is in the ledger already. */
    if (pull?.is === 'end' && succeededIn !== '') return undefined;
    if (pull) return pull;
    if (now < until) return wait('JobRunning', sentinelMessage(pod), until);
  }
  if (succeededIn !== '') return undefined;
  const cause = (newest && endCause(newest)) ?? 'its Pod ended before';
  return sentinelFailed(`${cause}; it is not known whether the node has booted since`);
}

function sentinelMessage(pod: CachedPod): string {
  const waiting = waitingContainerOf(pod);
  const error = waiting && startError(waiting);
  return error === undefined ? 'Job is running' : `the command has succeeded; container ${waiting?.name}: ${error}`;
}

/** Undefined unless the image of the sentinel cannot be pulled. */
function awaitSentinelImage(facts: Facts, pod: CachedPod): StepResult | undefined {
  const pull = pullStateOf(facts, pod, stepStartedAt(facts, SUCCEEDED));
  if (pull.message === undefined) return undefined;
  const { name, image = '' } = waitingContainerOf(pod) ?? {};
  const message = `the command has succeeded; image ${image} of container ${name}`;
  return pull.is === 'failed'
    ? fail('ImagePullFailed', `${message} could not be pulled: ${pull.message}`)
    : awaitPull(facts, pull, `${message} is being pulled: ${pull.message}`);
}
