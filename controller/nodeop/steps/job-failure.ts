/** Why a Job failed, as its own containers and the kubelet report it. */
import { CONTAINERS } from '../../../api/names.js';
import { endCause, isRejected } from '../../cluster/pod-end.js';
import { newestOf, ownContainersOf, type CachedPod } from '../../cluster/pod.js';
import { type Facts, fail, type StepResult } from '../facts/facts.js';

interface JobCondition {
  reason?: string;
  message?: string;
}

export function jobFailed({ jobPods }: Facts, condition: JobCondition): StepResult {
  const failure = lastFailure(jobPods);
  const evidence = { log: failure?.message?.trim(), exitCode: failure?.exitCode };
  if (condition.reason === 'DeadlineExceeded')
    return fail('JobTimeout', 'Job failed: it ran longer than activeDeadlineSeconds', evidence);
  if (isSentinelFailure(condition)) return sentinelFailed(condition.message ?? '', evidence);
  const pod = newestOf(jobPods);
  const cause = pod && endCause(pod);
  if (pod && jobPods.every(each => isRejected(each, CONTAINERS.work)))
    return fail('NotStarted', `the Pod of the Job was not started: ${cause ?? condition.message ?? 'it failed'}`);
  const words = cause ?? containerCause(failure);
  return fail('JobFailed', words === undefined ? 'Job failed' : `Job failed: ${words}`, evidence);
}

export const sentinelFailed = (cause: string, evidence: { log?: string; exitCode?: number } = {}): StepResult =>
  fail('SentinelFailed', `the command succeeded, but that could not be recorded on the node: ${cause}`, evidence);

/** The Job controller names the container by which a rule of podFailurePolicy matched. The sentinel container starts after the command. */
const isSentinelFailure = ({ reason, message = '' }: JobCondition): boolean =>
  reason === 'PodFailurePolicy' && message.startsWith(`Container ${CONTAINERS.sentinel} `);

/** With terminationMessagePolicy FallbackToLogsOnError, the termination message is the end of the log. */
const lastFailure = (pods: readonly CachedPod[]) =>
  pods
    .flatMap(ownContainersOf)
    .flatMap(({ name, state }) => (state?.terminated ? [{ name, ...state.terminated }] : []))
    .filter(({ exitCode }) => exitCode !== 0)
    .sort((a, b) => (a.finishedAt ?? '').localeCompare(b.finishedAt ?? ''))
    .at(-1);

/** `Error` says no more than the exit code; other reasons, such as OOMKilled, explain it. */
const containerCause = (failure: ReturnType<typeof lastFailure>): string | undefined =>
  failure?.reason === undefined || failure.reason === 'Error'
    ? undefined
    : `container ${failure.name} ended with reason ${failure.reason}`;
