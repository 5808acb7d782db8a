/** Why a Job failed, as its own containers and the kubelet report it. */
import { CONTAINERS } from '../../../api/names.js';
import { endCause, isRejected } from '../../cluster/pod-end.js';
import {
  addedContainersOf,
  containerNamed,
  failedAddedContainerOf,
  newestOf,
  oldestFirst,
  ownContainersOf,
  type CachedPod,
} from '../../cluster/pod.js';
import { act, type Facts, fail, type StepResult } from '../facts/facts.js';
import { endRefused } from './refused-act.js';

interface JobCondition {
  reason?: string;
  message?: string;
}

export function jobFailed({ jobPods, ledger }: Facts, condition: JobCondition): StepResult {
  const failure = lastFailure(jobPods) ?? recordedFailure(ledger);
  const evidence = { log: failure?.message?.trim(), exitCode: failure?.exitCode };
  if (condition.reason === 'DeadlineExceeded')
    return fail('JobTimeout', 'Job failed: it ran longer than activeDeadlineSeconds', evidence);
  if (isSentinelFailure(condition)) return sentinelFailed(condition.message ?? '', evidence);
  const pod = newestOf(jobPods);
  const cause = pod && endCause(pod);
  if (pod && jobPods.every(each => isRejected(each, CONTAINERS.work)))
    return fail(
      'NotStarted',
      `the Pod of the Job was not started: ${cause ?? addedCause(pod) ?? condition.message ?? 'it failed'}`,
    );
  /* The rule names the container that ended the Job, which may be an added one. */
  const rule = failure === undefined && condition.reason === 'PodFailurePolicy' ? condition.message : undefined;
  const words = cause ?? containerCause(failure) ?? rule;
  return fail('JobFailed', words === undefined ? 'Job failed' : `Job failed: ${words}`, evidence);
}

/** Whether the command has failed while an added container keeps the Pod running, so that the Job controller does not see the failure. */
export const isKeptAfterFailure = (pod: CachedPod): boolean => {
  const ended = containerNamed(pod, CONTAINERS.work)?.state?.terminated;
  return ended !== undefined && ended.exitCode !== 0 && addedContainersOf(pod).length > 0;
};

/** The deleted Pod counts as a failed try. Exit code and log vanish with it, so that they are recorded first. */
export function endFailedPod(facts: Facts, pod: CachedPod): StepResult {
  const { ledger } = facts;
  const added = addedContainersOf(pod);
  const message = `the command failed; ending the Pod, which the added container ${added.join(', ')} keeps`;
  const { exitCode = 1, message: log } = containerNamed(pod, CONTAINERS.work)?.state?.terminated ?? {};
  const podUid = pod.metadata.uid;
  const end = (words: string) =>
    fail('JobFailed', `Job failed: its Pod could not be deleted: ${words}`, { log, exitCode });
  if (ledger?.job === undefined || ledger.job.failure?.podUid === podUid)
    return endRefused(facts, 'deleting the Pod', end) ?? act({ do: 'deletePods', pods: [pod] }, { message });
  const failure = { podUid, exitCode, ...(log ? { log } : {}) };
  return act({ do: 'record', change: { job: { ...ledger.job, added, failure } } }, { message });
}

const recordedFailure = (ledger: Facts['ledger']): ReturnType<typeof lastFailure> => {
  const { failure } = ledger?.job ?? {};
  return failure && { name: CONTAINERS.work, exitCode: failure.exitCode, message: failure.log };
};

/** A container that admission added before the command has failed, so that the command could not start. */
function addedCause(pod: CachedPod): string | undefined {
  const { name, state } = failedAddedContainerOf(pod) ?? {};
  if (name === undefined) return undefined;
  const { exitCode, reason, message } = state?.terminated ?? {};
  const words = [reason === 'Error' ? undefined : reason, message?.trim()].filter(Boolean).join(': ');
  return `container ${name}, which something added to it, ended with exit code ${exitCode}${words && `: ${words}`}`;
}

export const sentinelFailed = (cause: string, evidence: { log?: string; exitCode?: number } = {}): StepResult =>
  fail('SentinelFailed', `the command succeeded, but that could not be recorded on the node: ${cause}`, evidence);

/** The Job controller names the container by which a rule of podFailurePolicy matched. The sentinel container starts after the command. */
const isSentinelFailure = ({ reason, message = '' }: JobCondition): boolean =>
  reason === 'PodFailurePolicy' && message.startsWith(`Container ${CONTAINERS.sentinel} `);

/** With terminationMessagePolicy FallbackToLogsOnError, the termination message is the end of the log. */
const lastFailure = (pods: readonly CachedPod[]) =>
  oldestFirst(pods)
    .flatMap(ownContainersOf)
    .flatMap(({ name, state }) => (state?.terminated ? [{ name, ...state.terminated }] : []))
    .findLast(({ exitCode }) => exitCode !== 0);

/** `Error` says no more than the exit code; other reasons, such as OOMKilled, explain it. */
const containerCause = (failure: ReturnType<typeof lastFailure>): string | undefined =>
  failure?.reason === undefined || failure.reason === 'Error'
    ? undefined
    : `container ${failure.name} ended with reason ${failure.reason}`;
