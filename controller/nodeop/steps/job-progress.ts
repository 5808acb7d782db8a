/**
 * Waits while the Job runs. Its newest live Pod decides: a Job that has failed once may be unable to start its next Pod, and a Pod of which
 * one container has ended may be unable to start the next.
 */
import { after } from '../../../program/clock.js';
import { mayBePulling, startError, waitingContainerOf } from '../../cluster/container-wait.js';
import { firstSeen } from '../../cluster/first-seen.js';
import { hasPullError } from '../../cluster/image-pull.js';
import { type CachedJob, hasEnded } from '../../cluster/job.js';
import { bootIdOf } from '../../cluster/node.js';
import { hasRun } from '../../cluster/pod-end.js';
import { addedContainersOf, isAlive, isEnding, newestOf, ownContainersOf, type CachedPod } from '../../cluster/pod.js';
import { act, stepStartedAt, type Facts, fail, type StepResult, wait } from '../facts/facts.js';
import { podName } from './drainable-pods.js';
import { awaitPull, pullStateOf } from './image-wait.js';
import { endFailedPod, isKeptAfterFailure, jobFailed } from './job-failure.js';
import { MAX_RESUMES, timesSuspendedAgain } from './job-start.js';
import { terminationDeadline } from './pod-termination.js';

export function awaitJobProgress(facts: Facts): StepResult {
  const pod = newestOf(facts.jobPods.filter(isAlive));
  if (pod?.metadata.deletionTimestamp !== undefined) return awaitTermination(facts, pod);
  if (pod && ownContainersOf(pod).some(({ state }) => state?.running !== undefined))
    return wait('JobRunning', runningMessage(pod));
  if (pod && isKeptAfterFailure(pod)) return endFailedPod(facts, pod);
  const since = stalledSince(facts, pod);
  if (since === undefined) return recordStall(facts, pod);
  if (pod && isEnding(pod)) return awaitPhase(facts, since);
  return pod ? awaitStart(facts, pod, since) : awaitNextPod(facts, since);
}

function runningMessage(pod: CachedPod): string {
  const added = addedContainersOf(pod);
  return added.length === 0
    ? 'Job is running'
    : `Job is running; something added container ${added.join(', ')} to its Pod`;
}

/** A kubelet that cannot remove the sandbox never reports the phase. Then the exit codes decide; a success is recorded elsewhere. */
function awaitPhase(facts: Facts, since: Date): StepResult {
  const until = phaseDeadline(facts, since);
  return facts.now < until ? wait('JobRunning', 'Job is running', until) : jobFailed(facts, {});
}

const phaseDeadline = ({ nodeOp }: Facts, since: Date): Date => after(since, nodeOp.spec.startDeadlineSeconds);

/** All containers of the Pod have ended, and the kubelet has not reported its phase for too long. */
export function isPhaseOverdue(facts: Facts, pod: CachedPod): boolean {
  const since = stalledSince(facts, pod);
  return since !== undefined && facts.now >= phaseDeadline(facts, since);
}

/** A Pod that is being deleted fails, and counts as a try, when it has ended. */
function awaitTermination({ now }: Facts, pod: CachedPod): StepResult {
  const until = terminationDeadline([pod]);
  return until && now >= until
    ? fail('JobFailed', `Job failed: its Pod ${podName(pod)} does not terminate`)
    : wait('JobRunning', 'Job is running: its Pod is being deleted', until);
}

/** How far the Job is: another Pod, another container, another boot or another resume is progress. */
function stallOf({ job, node, jobPods }: Facts, pod: CachedPod | undefined): string {
  const uncounted = uncountedPods(job);
  const tries = [jobPods.length, job?.status?.failed ?? 0, ...(uncounted > 0 ? [uncounted] : [])].join(' ');
  const ended = pod ? ownContainersOf(pod).filter(({ state }) => state?.terminated !== undefined).length : 0;
  const resumes = job === undefined ? 0 : timesSuspendedAgain(job);
  const parts = [pod?.metadata.uid ?? 'no Pod', pod ? ended : tries, bootIdOf(node) ?? ''];
  return [...parts, ...(resumes > 0 ? [`resume ${Math.min(resumes, MAX_RESUMES)}`] : [])].join(' ');
}

/** The first start counts from the resume; every later wait from when it was first seen, which is recorded: undefined if it is not yet. */
function stalledSince(facts: Facts, pod: CachedPod | undefined): Date | undefined {
  const { jobPods, job, ledger, node } = facts;
  const hasBooted = ledger?.bootIdBefore !== undefined && bootIdOf(node) !== ledger.bootIdBefore;
  const wasResumedAgain = job !== undefined && timesSuspendedAgain(job) > 0;
  const isFirst = !hasLostPod(facts, pod) && !jobPods.some(each => ownContainersOf(each).some(hasRun));
  if (isFirst && jobPods.every(isAlive) && !hasBooted && !wasResumedAgain) return resumedAt(facts);
  return ledger?.waiting?.for === stallOf(facts, pod) ? new Date(ledger.waiting.since) : undefined;
}

/** Pods that run or ended without being counted as failed: a Pod may be gone before the Job controller has counted it. */
const uncountedPods = (job: CachedJob | undefined): number =>
  (job?.status?.active ?? 0) + (job?.status?.uncountedTerminatedPods?.failed?.length ?? 0);

const hasLostPod = ({ job }: Facts, pod: CachedPod | undefined): boolean =>
  (job?.status?.failed ?? 0) > 0 || (pod === undefined && uncountedPods(job) > 0);

function recordStall(facts: Facts, pod: CachedPod | undefined): StepResult {
  const waiting = firstSeen(stallOf(facts, pod), [], facts.now);
  return act({ do: 'record', change: { waiting } }, { message: 'Job is running' });
}

/** Recorded just before the resume. A Job of the legacy operator was never suspended. */
const resumedAt = (facts: Facts): Date => new Date(facts.ledger?.stepTimes.Resume ?? stepStartedAt(facts, 'Run'));

function awaitStart(facts: Facts, pod: CachedPod, since: Date): StepResult {
  const { image, ledger, node, nodeOp, now } = facts;
  const container = waitingContainerOf(pod);
  const imageName = container?.image ?? image;
  const pull = pullStateOf(facts, pod, since);
  const isPulling = ledger?.stepTimes.Pull === undefined && mayBePulling(pod, image, node);
  if (pull.is === 'failed' && (isPulling || (container && hasPullError(container))))
    return fail('ImagePullFailed', `image ${imageName} could not be pulled: ${pull.message}`);
  if (pull.is === 'pulling' && pull.message !== undefined) return awaitPull(facts, pull, pull.message);
  if (pull.is === 'pulling' && isPulling)
    return wait('Pulling', `Job created; waiting for image ${imageName}`, pull.until);
  const seconds = nodeOp.spec.startDeadlineSeconds;
  const until = after(since, seconds);
  const error = (container && startError(container)) ?? pod.status.message;
  const cause = error === undefined ? '' : `: ${error}`;
  return now >= until
    ? fail('NotStarted', `the Pod of the Job did not start within ${seconds} s${cause}`)
    : wait('JobRunning', `Job created${cause}`, until);
}

/** The Job controller waits longer after each failed Pod. */
const pauseSeconds = (failed: number): number => (failed === 0 ? 0 : Math.min(600, 10 * 2 ** (failed - 1)));

/** The Job controller needs less to create a Pod, unless the API server refuses it. */
const CREATION_SECONDS = 10;

/** The Job should have a Pod and has none for some time: what the API server says about it can be learnt by a dry run only. */
export function lacksPod(facts: Facts): boolean {
  const { job, jobPods, ledger, now } = facts;
  if (ledger?.step !== 'Run' || ledger.job === undefined || job === undefined || jobPods.some(isAlive)) return false;
  if (ledger.result !== undefined || ledger.job.succeededIn !== undefined || hasEnded(job) || job.spec.suspend === true)
    return false;
  const since = stalledSince(facts, undefined);
  return since !== undefined && now >= after(since, CREATION_SECONDS);
}

/** Before the Job controller has counted its first failure, it may also be about to end the Job. */
function nextPodMessage({ jobPods }: Facts, failed: number): string {
  if (failed > 0) return 'Job is running: its next Pod follows';
  return jobPods.length > 0 ? 'Job is running' : 'Job created';
}

function awaitNextPod(facts: Facts, since: Date): StepResult {
  const { job, nodeOp, now, podRefusal } = facts;
  const failed = job?.status?.failed ?? 0;
  const seconds = nodeOp.spec.startDeadlineSeconds + pauseSeconds(failed);
  const until = after(since, seconds);
  const cause = podRefusal?.message ?? 'see the events of the Job';
  if (now >= until) return fail('PodRefused', `no Pod was created for the Job within ${seconds} s: ${cause}`);
  const message = nextPodMessage(facts, failed);
  const next = after(now, CREATION_SECONDS);
  return wait(
    'JobRunning',
    podRefusal ? `${message}; refused: ${podRefusal.message}` : message,
    next < until ? next : until,
  );
}
