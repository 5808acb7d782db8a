/** How far the exporters are. */
import type { OSArtifactStatus } from '../../../api/os-artifact.js';
import type { CachedJob } from '../../cluster/job.js';
import type { CachedPod } from '../../cluster/pod.js';
import { takenAway } from './pod-disruption.js';
import { obstacleOf } from './builder-progress.js';
import { isGoing } from '../timeouts.js';

export type ExportsTold = NonNullable<OSArtifactStatus['exports']>;
type ExportTold = ExportsTold[number];

/** An exporter, and what there is of it. */
export interface Export {
  name: string;
  job?: CachedJob;
  /** Of the Job. */
  pods: readonly CachedPod[];
}

export interface Exports {
  told: ExportsTold;
  /** Numbers of exporters that have no Job, and need one. */
  missing: readonly number[];
  /** Those that failed as their Pod was lost: they go, and others are made. */
  again: readonly CachedJob[];
  /** Why one failed. */
  failed?: string;
  held?: Held;
}

/** Why an exporter does not run. */
export interface Held {
  message: string;
  /** Absent: it is none of ours to end that. */
  since?: Date;
  job: CachedJob;
}

const condition = (job: CachedJob | undefined, type: string) =>
  job?.status?.conditions?.find(each => each.type === type && each.status === 'True');

function stateOf({ job }: Export): ExportTold['state'] {
  if (condition(job, 'Complete')) return 'Done';
  return condition(job, 'Failed') ? 'Failed' : 'Running';
}

/** A Job makes its Pods within seconds, or something is against them. */
const PODLESS_MS = 30_000;

const timeOf = (text: string | undefined, otherwise: Date) => (text === undefined ? otherwise : new Date(text));

/** It has run before: how often it is tried again is the user's own matter, and takes as long as it takes. */
const hasRun = ({ status }: CachedPod): boolean =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].some(
    ({ restartCount = 0, state }) => restartCount > 0 || state?.terminated !== undefined,
  );

function heldPod(name: string, pods: readonly CachedPod[], now: Date): Omit<Held, 'job'> | undefined {
  for (const pod of pods) {
    const words = obstacleOf(pod, now);
    const since = hasRun(pod) ? undefined : timeOf(pod.metadata.creationTimestamp, now);
    if (words !== undefined) return { message: `export job ${name}: ${words}`, since };
  }
  return undefined;
}

function heldIn(each: Export, now: Date): Held | undefined {
  const { name, job, pods } = each;
  if (!job || isGoing(job)) return undefined;
  if (job.spec.suspend === true) return { message: `export job ${name} is suspended`, job };
  const held = heldPod(name, pods, now);
  if (held || pods.length > 0) return held && { ...held, job };
  const { startTime, active = 0, failed = 0 } = job.status ?? {};
  const since = timeOf(startTime ?? job.metadata.creationTimestamp, now);
  /* Between two tries a Job waits for longer and longer. */
  if (active + failed > 0 || now.getTime() - since.getTime() < PODLESS_MS) return undefined;
  return { message: `export job ${name} has no Pod: kubectl describe job ${name} says why`, since, job };
}

/** Whatever takes its Pod away so often will go on doing so. */
const MOST_TRIES = 4;

/** Failed, by no fault of its own. */
const isAgain = ({ state, lost, tries = 1 }: ExportTold): boolean =>
  state === 'Failed' && lost === true && tries < MOST_TRIES;

/** Who is done stays so, whatever becomes of the Job. One that is replaced is nothing any more, though it may be seen for a while. */
function tell(each: Export, before: ExportTold | undefined): ExportTold {
  const { name, job, pods } = each;
  if (before?.state === 'Done' || (job && job.metadata.uid === before?.replaced)) return before;
  const state = stateOf(each);
  const isLost = before?.lost === true || pods.some(pod => takenAway(pod) !== undefined);
  return {
    job: name,
    state,
    ...(before?.tries === undefined ? {} : { tries: before.tries }),
    ...(job && isLost && state !== 'Done' ? { lost: true } : {}),
  };
}

function failureOf({ name, job }: Export): string {
  const { message, reason } = condition(job, 'Failed') ?? {};
  const words = message ?? reason;
  return `export job ${name} failed${words ? `: ${words}` : ''}`;
}

/** `before`: what the status told of this build. */
export function exportsSeen(exporters: readonly Export[], before: ExportsTold, now: Date): Exports {
  const seen = exporters.map(each => ({
    each,
    told: tell(
      each,
      before.find(({ job }) => job === each.name),
    ),
  }));
  const again = seen.filter(({ told }) => isAgain(told));
  const failed = seen.find(({ told }) => told.state === 'Failed' && !isAgain(told));
  const open = seen.filter(({ told }) => told.state === 'Running').map(({ each }) => each);
  return {
    told: seen.map(({ each: { job }, told }) =>
      isAgain(told)
        ? { job: told.job, state: 'Running', tries: (told.tries ?? 1) + 1, replaced: job?.metadata.uid }
        : told,
    ),
    missing: exporters.flatMap((each, index) => (each.job || !open.includes(each) ? [] : [index])),
    again: again.flatMap(({ each: { job } }) => (job ? [job] : [])),
    failed: failed && failureOf(failed.each),
    held: open.map(each => heldIn(each, now)).find(held => held !== undefined),
  };
}
