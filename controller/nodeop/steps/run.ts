/** The command runs on the node, once beyond its own retries. */
import { isOnNode } from '../../cluster/image-name.js';
import { LABELS } from '../../../api/names.js';
import { bootIdOf, imagesOf, notReadySince } from '../../cluster/node.js';
import { isAlive, isPodReady, type CachedPod } from '../../cluster/pod.js';
import type { CachedJob } from '../../cluster/job.js';
import { act, stepStartedAt, DONE, type Facts, fail, type StepResult, refusalTimeout, wait } from '../facts/facts.js';
import { after } from '../../../program/clock.js';
import { podName } from './drainable-pods.js';
import { imagePullState } from '../../cluster/image-pull.js';
import { awaitBootConfirmation } from './boot-confirmation.js';
import { awaitControlPlaneTurn } from './control-plane.js';
import { terminationDeadline } from './pod-termination.js';
import type { Step } from './step.js';

export const run: Step = {
  isNeeded: () => true,
  /** What a reboot will be judged by can't be seen any more once the machine has rebooted. */
  onEnter: ({ node, pods, nodeOp, name }) => ({
    bootIdBefore: nodeOp.status.nodeStatuses?.[name]?.bootIdBefore ?? bootIdOf(node),
    ...(nodeOp.spec.rebootOnSuccess ? { daemonSets: readyDaemonSets(pods) } : {}),
  }),
  evaluate(facts): StepResult {
    const { job, ledger, nodeOp } = facts;
    if (ledger?.job === undefined) {
      if (nodeOp.isDeleting) return fail('Deleted', 'the operation was deleted before its Job began');
      if (job === undefined)
        return beforeIt(facts) ?? refusalTimeout(facts, 'Run') ?? act({ do: 'createJob' }, { message: 'Job created' });
      return act(
        {
          do: 'record',
          change: {
            job: { name: job.metadata.name, uid: job.metadata.uid },
            stepTimes: { ...ledger?.stepTimes, Resume: facts.now.toISOString() },
          },
        },
        { message: 'Job created' },
      );
    }
    if (nodeOp.isDeleting && !nodeOp.spec.rebootOnSuccess) return cutShort(facts);
    if (job === undefined || job.metadata.uid !== ledger.job.uid)
      return fail('JobDeleted', `Job ${ledger.job.name} was deleted before it had finished`);
    if (condition(job, 'Complete')) return nodeOp.spec.rebootOnSuccess ? beforeReboot(facts) : DONE;
    const failed = condition(job, 'Failed');
    if (failed) return jobFailed(facts, failed);
    if (job.spec.suspend === true) return resume(facts, job);
    return lost(facts) ?? underWay(facts);
  },
};

/** The operation was deleted while its reboot waited for other control planes: it is not waited for any longer. */
function beforeReboot(facts: Facts): StepResult {
  const unknown = awaitBootConfirmation(facts);
  if (unknown) return unknown;
  const turn = awaitControlPlaneTurn(facts);
  return facts.nodeOp.isDeleting && turn?.is === 'wait'
    ? fail('Deleted', 'the operation was deleted before its reboot')
    : (turn ?? DONE);
}

const isCommand = ({ metadata: { labels = {} } }: CachedPod): boolean =>
  labels[LABELS.nodeOp] !== undefined && labels[LABELS.preflight] === undefined && labels[LABELS.pull] === undefined;

/** A command that was given up on while its node was cut off may still run there: two never share a node. */
function beforeIt(facts: Facts): StepResult | undefined {
  const earlier = facts.pods.find(pod => isCommand(pod) && isAlive(pod));
  if (earlier === undefined) return undefined;
  const seconds = facts.nodeOp.spec.startDeadlineSeconds;
  const until = after(stepStartedAt(facts, 'Run'), seconds);
  const words = `Pod ${podName(earlier)} of an earlier run`;
  return facts.now >= until
    ? fail('NotStarted', `${words} did not end within ${seconds} s`)
    : wait('JobRunning', `waiting for ${words} to end`, until);
}

/** Somebody deleted the operation: nothing waits for this command, so it ends, with the grace of its Pod. */
function cutShort(facts: Facts): StepResult {
  const { job, jobPods, ledger, now } = facts;
  const own = job?.metadata.uid === ledger?.job?.uid ? job : undefined;
  if (own && own.metadata.deletionTimestamp === undefined)
    return act({ do: 'deleteJob', job: own }, { message: 'ending the Job' });
  const until = terminationDeadline(jobPods);
  if (jobPods.length > 0 && !(until && now >= until))
    return lost(facts) ?? wait('JobRunning', 'waiting for the Pod of the Job to end', until);
  const left = jobPods.map(pod => `; Pod ${podName(pod)} does not end`);
  return fail('Deleted', `the operation was deleted while its Job ran${left.join('')}`);
}

/** A Job on a node that does not answer any more would be waited for without end. */
function lost({ node, now, nodeOp }: Facts): StepResult | undefined {
  const since = notReadySince(node);
  if (since === undefined) return undefined;
  const until = after(since, nodeOp.spec.rebootTimeoutSeconds);
  if (now >= until)
    return fail(
      'Unreachable',
      `the node has not been Ready for ${nodeOp.spec.rebootTimeoutSeconds} s while its Job ran`,
    );
  return wait('Unreachable', 'the node is not Ready while its Job runs', until);
}

function readyDaemonSets(pods: readonly CachedPod[]): string[] {
  const uids = pods
    .filter(isPodReady)
    .flatMap(pod => pod.metadata.ownerReferences ?? [])
    .filter(owner => owner.kind === 'DaemonSet' && owner.controller === true)
    .map(owner => owner.uid);
  return [...new Set(uids)];
}

const condition = (job: CachedJob, type: string) =>
  job.status?.conditions?.find(c => c.type === type && c.status === 'True');

function jobFailed({ jobPods }: Facts, failed: { reason?: string; message?: string }): StepResult {
  const ended = lastFailure(jobPods);
  const last = { log: ended?.message?.trim(), exitCode: ended?.exitCode };
  if (failed.reason === 'DeadlineExceeded')
    return fail('JobTimeout', 'Job failed: it ran longer than activeDeadlineSeconds', last);
  return fail('JobFailed', 'Job failed', last);
}

/** The kubelet keeps the end of the log as termination message when a container fails (terminationMessagePolicy). */
const lastFailure = (pods: readonly CachedPod[]) =>
  pods
    .flatMap(pod => [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])])
    .map(container => container.state?.terminated)
    .filter(ended => ended !== undefined && ended.exitCode !== 0)
    .sort((a, b) => (a?.finishedAt ?? '').localeCompare(b?.finishedAt ?? ''))
    .at(-1);

function underWay(facts: Facts): StepResult {
  const { jobPods, now, nodeOp } = facts;
  const alive = jobPods.filter(pod => pod.status.phase === 'Pending' || pod.status.phase === 'Running');
  const started = jobPods.some(pod =>
    [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].some(
      container => container.state?.running !== undefined || container.state?.terminated !== undefined,
    ),
  );
  if (started) return wait('JobRunning', 'Job is running');
  const since = mayRunSince(facts);
  const pod = alive[0];
  const problem = pod ? imagePullState(pod, facts, since) : undefined;
  if (problem?.is === 'failed')
    return fail('ImagePullFailed', `image ${facts.image} could not be pulled: ${problem.message}`);
  if (problem?.message !== undefined) return wait('Pulling', problem.message, problem.until);
  if (problem && !isOnNode(facts.image, imagesOf(facts.node)))
    return wait('Pulling', `Job created; waiting for image ${facts.image}`, problem.until);
  const until = after(since, nodeOp.spec.startDeadlineSeconds);
  return now >= until ? notStarted(facts, pod) : wait('JobRunning', 'Job created', until);
}

/** A suspended Job may not run: time counts from when it was resumed. */
const mayRunSince = (facts: Facts): Date =>
  new Date(facts.job?.status?.startTime ?? facts.ledger?.stepTimes.Resume ?? stepStartedAt(facts, 'Run'));

const RESUME_IS_NEWS_SECONDS = 30;

/** It is resumed with a pause that grows; whoever suspends it so often means it. */
const MOST_RESUMES = 10;

/** `metadata.generation` counts the changes of a spec: made suspended, resumed, suspended again. */
const timesSuspendedAgain = ({ metadata: { generation = 1 } }: CachedJob): number => Math.floor((generation - 1) / 2);

/** When it was resumed is written down just before, and again if the controller was away in between. */
function resume(facts: Facts, job: CachedJob): StepResult {
  const { ledger, now, nodeOp, refusedWrite } = facts;
  const again = timesSuspendedAgain(job);
  if (again >= MOST_RESUMES) return fail('NotStarted', `something has suspended the Job ${again} times`);
  if (again > 0) return act({ do: 'resumeJob', job }, { message: 'the Job is suspended by somebody' });
  const written = ledger?.stepTimes.Resume;
  const seconds = nodeOp.spec.startDeadlineSeconds;
  const isNews = Math.max(RESUME_IS_NEWS_SECONDS, seconds);
  if (written !== undefined && now < after(new Date(written), isNews))
    return act({ do: 'resumeJob', job }, { message: 'Job created' });
  if (written !== undefined && refusedWrite !== undefined)
    return fail('NotStarted', `the Job could not be resumed within ${isNews} s: ${refusedWrite}`);
  return act(
    { do: 'record', change: { stepTimes: { ...ledger?.stepTimes, Resume: now.toISOString() } } },
    { message: 'Job created' },
  );
}

function notStarted({ nodeOp }: Facts, pod: CachedPod | undefined): StepResult {
  const seconds = nodeOp.spec.startDeadlineSeconds;
  if (pod === undefined)
    return fail('PodRefused', `no Pod was made for the Job within ${seconds} s; the events of the Job say why`);
  const words = pod.status.message ? `: ${pod.status.message}` : '';
  return fail('NotStarted', `the Pod of the Job did not start within ${seconds} s${words}`);
}
