/** How far the builder Pod is. */
import type { OSArtifactStatus } from '../../../api/os-artifact.js';
import { isAlive, type ContainerStatus, type CachedPod } from '../../cluster/pod.js';
import { disruptionOf } from './pod-disruption.js';
import { startError } from './start-errors.js';

export type Steps = NonNullable<OSArtifactStatus['steps']>;
export type Outputs = NonNullable<OSArtifactStatus['outputs']>;

export type Progress =
  | { is: 'going'; message: string }
  /** It cannot begin, or cannot go on: for so long. */
  | { is: 'held'; message: string; since: Date }
  /** By no fault of the build. */
  | { is: 'lost'; message: string }
  | { is: 'failed'; message: string }
  | { is: 'done' };

const containersOf = ({ status }: CachedPod): ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
];

function stateOf(terminated: { exitCode: number } | undefined, running: object | undefined): Steps[number]['state'] {
  if (terminated) return terminated.exitCode === 0 ? 'Done' : 'Failed';
  return running ? 'Running' : 'Waiting';
}

function stepOf({ name, state: { terminated, running } = {} }: ContainerStatus): Steps[number] {
  const startedAt = terminated?.startedAt ?? running?.startedAt;
  return {
    name,
    state: stateOf(terminated, running),
    ...(startedAt ? { startedAt } : {}),
    ...(terminated?.finishedAt ? { completedAt: terminated.finishedAt } : {}),
  };
}

export const stepsSeen = (pod: CachedPod): Steps => containersOf(pod).map(stepOf);

export const stepsDone = (steps: Steps): string =>
  `${steps.filter(({ state }) => state === 'Done').length}/${steps.length}`;

/** In the last word of a step: a line for each file, with checksum, bytes and path. One that was cut has no end. */
function outputsIn(words: string): Outputs {
  const lines = words.split('\n').slice(0, -1);
  return lines.flatMap(text => {
    const [, sha256, size, name] = /^([0-9a-f]{64}) (\d+) (.+)$/.exec(text) ?? [];
    return sha256 && size && name ? [{ name, size: Number(size), sha256 }] : [];
  });
}

/** Files of the steps that are done. One that is told twice was made twice. */
export function outputsSeen(pod: CachedPod): Outputs {
  const outputs = containersOf(pod).flatMap(({ state }) => outputsIn(state?.terminated?.message ?? ''));
  return [...new Map(outputs.map(output => [output.name, output])).values()];
}

/** A Pod that waits has waited since it began, or since its last step ended. */
export function waitingSince(pod: CachedPod): Date {
  const { metadata, status } = pod;
  const ends = containersOf(pod).map(({ state }) => state?.terminated?.finishedAt);
  const times = [metadata.creationTimestamp, status.startTime, ...ends].map(time => (time ? Date.parse(time) : 0));
  return new Date(Math.max(...times));
}

/** The step that failed, and the end of its log. */
function failure(pod: CachedPod): string {
  const failed = containersOf(pod).find(({ state }) => state?.terminated && state.terminated.exitCode !== 0);
  const { terminated } = failed?.state ?? {};
  const own = [pod.status.reason, pod.status.message].filter(Boolean).join(': ');
  if (!failed || !terminated) return own || 'the builder Pod failed';
  const words = (terminated.message ?? '').trim() || own || terminated.reason || 'it said nothing';
  return `step ${failed.name} failed with exit code ${terminated.exitCode}: ${words}`;
}

/** Longer than a Pod takes to start, unless an image is pulled or something is missing. */
const SLOW_START_MS = 60_000;

const isRunning = ({ state }: ContainerStatus) => state?.running !== undefined;

/** What keeps a Pod from running, in words; undefined while nothing does. The kubelet says of a missing volume nothing but in Events. */
export function obstacleOf(pod: CachedPod, now: Date): string | undefined {
  const { metadata, status } = pod;
  const unscheduled = status.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  if (unscheduled) return `no node takes the Pod: ${unscheduled.message ?? unscheduled.reason ?? ''}`;
  const containers = containersOf(pod);
  const words = startError(containers);
  if (words !== undefined || containers.some(isRunning) || !isAlive(pod)) return words;
  const since = waitingSince(pod);
  const next = containers.find(({ state }) => !state?.terminated)?.name;
  if (next === undefined || now.getTime() - since.getTime() < SLOW_START_MS) return undefined;
  return `container ${next} has been starting since ${since.toISOString()}: its image is being pulled, or a volume is missing; kubectl describe pod ${metadata.name} says which`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Such as "12 MiB". */
function sizeWords(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const count = bytes / 1024 ** power;
  return `${count < 10 && power > 0 ? count.toFixed(1) : Math.round(count)} ${UNITS[power]}`;
}

function stepWords(pod: CachedPod): string {
  const containers = containersOf(pod);
  const at = containers.findIndex(({ state }) => !state?.terminated);
  const step = containers[at];
  if (step === undefined) return 'the builder Pod is about to start';
  const files = outputsSeen(pod);
  const made =
    files.length === 0 ? '' : `; so far ${files.map(({ name, size }) => `${name} (${sizeWords(size)})`).join(', ')}`;
  return `step ${at + 1} of ${containers.length}, ${step.name}, ${step.state?.running ? 'is running' : 'is about to start'}${made}`;
}

export function progressOf(pod: CachedPod, now: Date): Progress {
  const { phase } = pod.status;
  if (phase === 'Succeeded') return { is: 'done' };
  const loss = disruptionOf(pod);
  if (loss !== undefined) return { is: 'lost', message: loss };
  if (phase === 'Failed') return { is: 'failed', message: failure(pod) };
  const obstacle = obstacleOf(pod, now);
  if (obstacle !== undefined) return { is: 'held', message: obstacle, since: waitingSince(pod) };
  return { is: 'going', message: stepWords(pod) };
}
