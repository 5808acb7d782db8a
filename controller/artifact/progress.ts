/** How far the builder Pod is. */
import type { OSArtifactStatus } from '../../api/os-artifact.js';
import { pullWords } from './pull-words.js';
import type { SeenContainer, SeenPod } from '../seen.js';

export type Steps = NonNullable<OSArtifactStatus['steps']>;
export type Outputs = NonNullable<OSArtifactStatus['outputs']>;

export type Progress =
  | { is: 'going'; message: string; since: Date }
  /** It cannot begin, or cannot go on: for so long. */
  | { is: 'held'; message: string; since: Date }
  | { is: 'failed'; message: string }
  | { is: 'done'; outputs: Outputs };

const containersOf = ({ status }: SeenPod): SeenContainer[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
];

function stepOf({ name, state: { terminated, running } = {} }: SeenContainer): Steps[number] {
  const startedAt = terminated?.startedAt ?? running?.startedAt;
  return {
    name,
    state: terminated ? (terminated.exitCode === 0 ? 'Done' : 'Failed') : running ? 'Running' : 'Waiting',
    ...(startedAt ? { startedAt } : {}),
    ...(terminated?.finishedAt ? { completedAt: terminated.finishedAt } : {}),
  };
}

export const stepsSeen = (pod: SeenPod): Steps => containersOf(pod).map(stepOf);

/** The last words of the steps: a line for each file, with checksum, bytes and name. One that is told twice was made twice. */
function outputsIn(pod: SeenPod): Outputs {
  const lines = containersOf(pod).flatMap(({ state }) => (state?.terminated?.message ?? '').split('\n'));
  const outputs = lines.flatMap(text => {
    const [, sha256, size, name] = /^([0-9a-f]{64}) (\d+) (.+)$/.exec(text) ?? [];
    return sha256 && size && name ? [{ name, size: Number(size), sha256 }] : [];
  });
  return [...new Map(outputs.map(output => [output.name, output])).values()];
}

const since = ({ metadata, status }: SeenPod) => new Date(status.startTime ?? metadata.creationTimestamp ?? 0);

/** The step that failed, and the end of its log. */
function failure(pod: SeenPod): string {
  const failed = containersOf(pod).find(({ state }) => state?.terminated && state.terminated.exitCode !== 0);
  const { terminated } = failed?.state ?? {};
  const own = [pod.status.reason, pod.status.message].filter(Boolean).join(': ');
  if (!failed || !terminated) return own || 'the builder Pod failed';
  const words = (terminated.message ?? '').trim() || own || terminated.reason || 'it said nothing';
  return `step ${failed.name} failed with exit code ${terminated.exitCode}: ${words}`;
}

export function progressOf(pod: SeenPod): Progress {
  const { phase, conditions } = pod.status;
  if (phase === 'Succeeded') return { is: 'done', outputs: outputsIn(pod) };
  if (phase === 'Failed') return { is: 'failed', message: failure(pod) };
  const unscheduled = conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled)
    return {
      is: 'held',
      message: `no node takes the build: ${unscheduled.message ?? unscheduled.reason ?? ''}`,
      since: since(pod),
    };
  const containers = containersOf(pod);
  const words = pullWords(containers);
  if (words !== undefined) return { is: 'held', message: words, since: since(pod) };
  const running = containers.find(({ state }) => state?.running);
  const next = containers.find(({ state }) => !state?.terminated);
  const message = running
    ? `step ${running.name} is running`
    : next
      ? `step ${next.name} is about to start`
      : 'the builder Pod is about to start';
  return { is: 'going', message, since: since(pod) };
}
