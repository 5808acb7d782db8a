/** The progress of the builder Pod. */
import { CONTAINERS } from '../../../api/names.js';
import type { OSArtifactStatus } from '../../../api/os-artifact.js';
import { containerNamed, type CachedPod, type ContainerState, type ContainerStatus } from '../../cluster/pod.js';
import { cutStart } from '../../../program/cut-text.js';
import { blockedReason } from './blocked-pod.js';
import { lossReason } from './pod-disruption.js';

export type StepStatuses = NonNullable<OSArtifactStatus['steps']>;
export type OutputStatuses = NonNullable<OSArtifactStatus['outputs']>;

export type Progress =
  | { is: 'running'; message: string }
  /** It cannot start or continue. */
  | { is: 'blocked'; message: string }
  /** The Pod was taken away. `reason`: the rest of a sentence about it. */
  | { is: 'lost'; reason: string }
  | { is: 'failed'; message: string }
  | { is: 'succeeded' };

/** The steps in order. Of the containers beside the init containers only one is a step; admission may have added the others. */
const stepContainersOf = (pod: CachedPod): ContainerStatus[] => [
  ...(pod.status.initContainerStatuses ?? []),
  ...(pod.status.containerStatuses ?? []).filter(({ name }) => name === CONTAINERS.listArtifacts),
];

function stepState({ terminated, running }: ContainerState): StepStatuses[number]['state'] {
  if (terminated) return terminated.exitCode === 0 ? 'Done' : 'Failed';
  return running ? 'Running' : 'Waiting';
}

function stepStatus({ name, state = {} }: ContainerStatus): StepStatuses[number] {
  const { terminated, running } = state;
  const startedAt = terminated?.startedAt ?? running?.startedAt;
  return {
    name,
    state: stepState(state),
    ...(startedAt ? { startedAt } : {}),
    ...(terminated?.finishedAt ? { completedAt: terminated.finishedAt } : {}),
  };
}

export const stepStatuses = (pod: CachedPod): StepStatuses => stepContainersOf(pod).map(stepStatus);

export const stepCount = (steps: StepStatuses): string =>
  `${steps.filter(({ state }) => state === 'Done').length}/${steps.length}`;

/** Parses the termination message of a step: one line per file, with checksum, size and path. A last line without a line break was truncated. */
function outputsIn(message: string): OutputStatuses {
  const lines = message.split('\n').slice(0, -1);
  return lines.flatMap(text => {
    const [, sha256, size, name] = /^([0-9a-f]{64}) (\d+) (.+)$/.exec(text) ?? [];
    return sha256 && size && name ? [{ name, size: Number(size), sha256 }] : [];
  });
}

/** Files of completed steps. Where two steps wrote the same file, the later one is reported. */
export function outputStatuses(pod: CachedPod): OutputStatuses {
  const outputs = stepContainersOf(pod).flatMap(({ state }) => outputsIn(state?.terminated?.message ?? ''));
  return [...new Map(outputs.map(output => [output.name, output])).values()];
}

/** The runner of the step writes as much. */
const MAX_LOG_BYTES = 2048;

/** The failed step, with the end of its log. */
function failureMessage(pod: CachedPod): string {
  const failed = stepContainersOf(pod).find(({ state }) => state?.terminated && state.terminated.exitCode !== 0);
  const { terminated } = failed?.state ?? {};
  const podMessage = [pod.status.reason, pod.status.message].filter(Boolean).join(': ');
  if (!failed || !terminated) return podMessage || 'the builder Pod failed';
  const details =
    cutStart((terminated.message ?? '').trim(), MAX_LOG_BYTES) ||
    podMessage ||
    terminated.reason ||
    'there is no output';
  return `step ${failed.name} failed with exit code ${terminated.exitCode}: ${details}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** For example "12 MiB". */
function formatSize(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const count = bytes / 1024 ** power;
  return `${count < 10 && power > 0 ? count.toFixed(1) : Math.round(count)} ${UNITS[power]}`;
}

function runningMessage(pod: CachedPod): string {
  const containers = stepContainersOf(pod);
  const index = containers.findIndex(({ state }) => !state?.terminated);
  const step = containers[index];
  if (step === undefined) return 'the builder Pod is about to start';
  const files = outputStatuses(pod).map(({ name, size }) => `${name} (${formatSize(size)})`);
  const built = files.length === 0 ? '' : `; so far ${files.join(', ')}`;
  const state = step.state?.running ? 'is running' : 'is about to start';
  return `step ${index + 1} of ${containers.length}, ${step.name}, ${state}${built}`;
}

/** `since`: when the Pod made its last progress. */
export function progressOf(pod: CachedPod, since: Date, now: Date): Progress {
  const { phase } = pod.status;
  /* A container that something else added to the Pod may keep it running, or end it with another exit code. */
  const last = containerNamed(pod, CONTAINERS.listArtifacts)?.state?.terminated;
  if (phase === 'Succeeded' || last?.exitCode === 0) return { is: 'succeeded' };
  const loss = lossReason(pod);
  if (loss !== undefined) return { is: 'lost', reason: loss };
  if (phase === 'Failed' || last) return { is: 'failed', message: failureMessage(pod) };
  const blocked = blockedReason(pod, since, now);
  if (blocked !== undefined) return { is: 'blocked', message: blocked };
  return { is: 'running', message: runningMessage(pod) };
}
