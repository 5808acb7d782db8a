/** The command runs on the node, once beyond its own retries. */
import { bootIdOf, notReadySince, podReady, type SeenJob, type SeenPod } from '../../seen.js';
import { act, after, begun, DONE, type Facts, fail, type Look, wait } from '../facts.js';
import { pullProblem } from '../pull-problem.js';
import type { Step } from '../steps.js';

export const run: Step = {
  wanted: () => true,
  /** What a reboot will be judged by can't be seen any more once the machine has rebooted. */
  entering: ({ node, pods, wish, name }) => ({
    bootIdBefore: wish.status.nodeStatuses?.[name]?.bootIdBefore ?? bootIdOf(node),
    ...(wish.spec.rebootOnSuccess ? { daemonSets: readyDaemonSets(pods) } : {}),
  }),
  look(facts): Look {
    const { job, ledger, wish } = facts;
    if (ledger?.job === undefined) {
      if (wish.deleting) return fail('Deleted', 'the operation was deleted before its Job began');
      if (job === undefined) return act({ do: 'createJob' }, { message: 'Job created' });
      return act(
        { do: 'record', change: { job: { name: job.metadata.name, uid: job.metadata.uid } } },
        { message: 'Job created' },
      );
    }
    if (wish.deleting && !wish.spec.rebootOnSuccess) return cutShort(facts);
    if (job === undefined || job.metadata.uid !== ledger.job.uid)
      return fail('JobDeleted', `Job ${ledger.job.name} was deleted before it had finished`);
    if (condition(job, 'Complete')) return DONE;
    const failed = condition(job, 'Failed');
    if (failed) return jobFailed(facts, failed);
    if (job.spec.suspend === true) return act({ do: 'resumeJob', job }, { message: 'Job created' });
    return lost(facts) ?? underWay(facts);
  },
};

/** Somebody deleted the operation: nothing waits for this command, so it ends, with the grace of its Pod. */
function cutShort({ job, jobPods, ledger }: Facts): Look {
  const own = job?.metadata.uid === ledger?.job?.uid ? job : undefined;
  if (own && own.metadata.deletionTimestamp === undefined)
    return act({ do: 'deleteJob', job: own }, { message: 'ending the Job' });
  if (jobPods.length > 0) return wait('JobRunning', 'waiting for the Pod of the Job to end');
  return fail('Deleted', 'the operation was deleted while its Job ran');
}

/** A Job on a node that does not answer any more would be waited for without end. */
function lost({ node, now, wish }: Facts): Look | undefined {
  const since = notReadySince(node);
  if (since === undefined) return undefined;
  const until = after(since, wish.spec.rebootTimeoutSeconds);
  if (now >= until)
    return fail('Unreachable', `the node has not been Ready for ${wish.spec.rebootTimeoutSeconds} s while its Job ran`);
  return wait('Unreachable', 'the node is not Ready while its Job runs', until);
}

function readyDaemonSets(pods: readonly SeenPod[]): string[] {
  const uids = pods
    .filter(podReady)
    .flatMap(pod => pod.metadata.ownerReferences ?? [])
    .filter(owner => owner.kind === 'DaemonSet' && owner.controller === true)
    .map(owner => owner.uid);
  return [...new Set(uids)];
}

const condition = (job: SeenJob, type: string) =>
  job.status?.conditions?.find(c => c.type === type && c.status === 'True');

function jobFailed({ jobPods }: Facts, failed: { reason?: string; message?: string }): Look {
  if (failed.reason === 'DeadlineExceeded')
    return fail('JobTimeout', 'Job failed: it ran longer than activeDeadlineSeconds', lastWords(jobPods));
  return fail('JobFailed', `Job failed${exitOf(jobPods)}`, lastWords(jobPods));
}

const lastFailure = (pods: readonly SeenPod[]) =>
  pods
    .flatMap(pod => [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])])
    .map(container => container.state?.terminated)
    .filter(ended => ended !== undefined && ended.exitCode !== 0)
    .sort((a, b) => (a?.finishedAt ?? '').localeCompare(b?.finishedAt ?? ''))
    .at(-1);

function exitOf(pods: readonly SeenPod[]): string {
  const ended = lastFailure(pods);
  if (ended === undefined) return '';
  return ended.reason === undefined || ended.reason === 'Error'
    ? `: exit code ${ended.exitCode}`
    : `: ${ended.reason}, exit code ${ended.exitCode}`;
}

/** The kubelet keeps the end of the log as termination message when a container fails (terminationMessagePolicy). */
const lastWords = (pods: readonly SeenPod[]) => lastFailure(pods)?.message?.trim();

function underWay(facts: Facts): Look {
  const { jobPods, now, wish } = facts;
  const alive = jobPods.filter(pod => pod.status.phase === 'Pending' || pod.status.phase === 'Running');
  const started = jobPods.some(pod =>
    [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].some(
      container => container.state?.running !== undefined || container.state?.terminated !== undefined,
    ),
  );
  if (started) return wait('JobRunning', 'Job is running');
  const since = begun(facts, 'Run');
  const pod = alive[0];
  const problem = pod ? pullProblem(pod, facts, since) : undefined;
  if (problem?.is === 'failed')
    return fail('ImagePullFailed', `image ${facts.image} could not be pulled: ${problem.message}`);
  if (problem?.message !== undefined) return wait('Pulling', problem.message, problem.until);
  const until = after(since, wish.spec.startDeadlineSeconds);
  if (now >= until && pod === undefined)
    return fail(
      'PodRefused',
      `no Pod was made for the Job within ${wish.spec.startDeadlineSeconds} s; the events of the Job say why`,
    );
  if (now >= until)
    return fail(
      'NotStarted',
      `the Pod of the Job did not start within ${wish.spec.startDeadlineSeconds} s${pod?.status.message ? `: ${pod.status.message}` : ''}`,
    );
  return wait('JobRunning', 'Job created', until);
}
