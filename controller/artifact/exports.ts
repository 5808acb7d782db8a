/** How far the exporters are. */
import type { OSArtifactStatus } from '../../api/os-artifact.js';
import type { SeenJob, SeenPod } from '../seen.js';
import { obstacleOf } from './progress.js';

export type ExportsTold = NonNullable<OSArtifactStatus['exports']>;

/** An exporter, and what there is of it. */
export interface Export {
  name: string;
  job?: SeenJob;
  /** Of the Job. */
  pods: readonly SeenPod[];
}

export interface Exports {
  told: ExportsTold;
  /** Numbers of exporters that have no Job, and need one. */
  missing: readonly number[];
  /** Why one failed. */
  failed?: string;
  held?: Held;
}

/** Why an exporter does not run. */
export interface Held {
  message: string;
  /** Absent: it is none of ours to end that. */
  since?: Date;
  job: SeenJob;
}

const condition = (job: SeenJob | undefined, type: string) =>
  job?.status?.conditions?.find(each => each.type === type && each.status === 'True');

const stateOf = ({ job }: Export): ExportsTold[number]['state'] =>
  condition(job, 'Complete') ? 'Done' : condition(job, 'Failed') ? 'Failed' : 'Running';

/** A Job makes its Pods within seconds, or something is against them. */
const PODLESS_MS = 30_000;

const timeOf = (text: string | undefined, otherwise: Date) => (text === undefined ? otherwise : new Date(text));

/** It has run before: how often it is tried again is the user's own matter, and takes as long as it takes. */
const hasRun = ({ status }: SeenPod): boolean =>
  [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].some(
    ({ restartCount = 0, state }) => restartCount > 0 || state?.terminated !== undefined,
  );

function heldPod(name: string, pods: readonly SeenPod[], now: Date): Omit<Held, 'job'> | undefined {
  for (const pod of pods) {
    const words = obstacleOf(pod, now);
    const since = hasRun(pod) ? undefined : timeOf(pod.metadata.creationTimestamp, now);
    if (words !== undefined) return { message: `export job ${name}: ${words}`, since };
  }
  return undefined;
}

function heldIn(each: Export, now: Date): Held | undefined {
  const { name, job, pods } = each;
  if (!job || job.metadata.deletionTimestamp !== undefined || stateOf(each) !== 'Running') return undefined;
  if (job.spec.suspend === true) return { message: `export job ${name} is suspended`, job };
  const held = heldPod(name, pods, now);
  if (held || pods.length > 0) return held && { ...held, job };
  const { startTime, active = 0, failed = 0 } = job.status ?? {};
  const since = timeOf(startTime ?? job.metadata.creationTimestamp, now);
  /* Between two tries a Job waits for longer and longer. */
  if (active + failed > 0 || now.getTime() - since.getTime() < PODLESS_MS) return undefined;
  return { message: `export job ${name} has no Pod: kubectl describe job ${name} says why`, since, job };
}

/** `before`: what the status told of this build. Who is done stays so, whatever becomes of the Job. */
export function exportsSeen(exporters: readonly Export[], before: ExportsTold, now: Date): Exports {
  const isDone = (name: string) => before.some(({ job, state }) => job === name && state === 'Done');
  const told: ExportsTold = exporters.map(each => ({
    job: each.name,
    state: isDone(each.name) ? 'Done' : stateOf(each),
  }));
  const open = exporters.filter(({ name }) => !isDone(name));
  const failures = open.flatMap(({ name, job }) => {
    const failed = condition(job, 'Failed');
    if (!failed) return [];
    const words = failed.message ?? failed.reason;
    return [`export job ${name} failed${words ? `: ${words}` : ''}`];
  });
  return {
    told,
    missing: exporters.flatMap(({ name, job }, index) => (job || isDone(name) ? [] : [index])),
    failed: failures[0],
    held: open.map(each => heldIn(each, now)).find(held => held !== undefined),
  };
}
