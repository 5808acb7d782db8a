/** The `podFailurePolicy` of a Job: the first rule that a failed Pod matches decides, as in the Job controller. */
import type { ContainerStatus, PodFailurePolicyRule, PodObject } from './object-types.js';

interface PolicyVerdict {
  action: 'FailJob' | 'Ignore' | 'Count';
  /** For the condition of a Job that fails by a rule. */
  message?: string;
}

/** A Pod that no rule matches is counted against the backoff limit. */
export function judgeFailure(rules: readonly PodFailurePolicyRule[], pod: PodObject): PolicyVerdict {
  for (const [index, rule] of rules.entries()) {
    const words = wordsOfMatch(rule, pod);
    if (words === undefined) continue;
    const message = `${words} matching ${rule.action} rule at index ${index}`;
    return { action: rule.action, message: rule.action === 'FailJob' ? message : undefined };
  }
  return { action: 'Count' };
}

function wordsOfMatch({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: PodObject): string | undefined {
  const { namespace, name } = pod.metadata;
  const place = `pod ${namespace}/${name}`;
  const container = onExitCodes && containers(pod).find(each => hasExitCode(each, onExitCodes));
  if (container)
    return `Container ${container.name} for ${place} failed with exit code ${container.state.terminated?.exitCode}`;
  const condition = onPodConditions?.find(({ type, status = 'True' }) =>
    pod.status.conditions?.some(each => each.type === type && each.status === status),
  );
  return condition && `Pod ${namespace}/${name} has condition ${condition.type}`;
}

const containers = ({ status }: PodObject): ContainerStatus[] => [
  ...(status.containerStatuses ?? []),
  ...(status.initContainerStatuses ?? []),
];

/** Containers that ended with 0 never match, whatever the operator. */
function hasExitCode(
  { name, state: { terminated } }: ContainerStatus,
  { containerName, operator, values }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
): boolean {
  if (terminated === undefined || terminated.exitCode === 0) return false;
  if (containerName !== undefined && containerName !== name) return false;
  return values.includes(terminated.exitCode) === (operator === 'In');
}
