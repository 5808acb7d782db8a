/** The progress of the exporters. */
import type { OSArtifactStatus } from '../../../api/os-artifact.js';
import type { CachedJob } from '../../cluster/job.js';
import { type CachedPod, containersOf } from '../../cluster/pod.js';
import { blockedReason } from './blocked-pod.js';
import { disruptionReason } from './pod-disruption.js';
import { isTerminating } from '../../cluster/metadata.js';

export type ExportStatuses = NonNullable<OSArtifactStatus['exports']>;
type ExportStatus = ExportStatuses[number];

/** An exporter of the spec, with its objects. */
export interface Exporter {
  /** Of its Job. */
  name: string;
  job?: CachedJob;
  /** Of the Job. */
  pods: readonly CachedPod[];
}

export interface ExportProgress {
  statuses: ExportStatuses;
  /** Indexes of exporters that need a Job. */
  missing: readonly number[];
  /** Failed Jobs whose Pod was lost: each is deleted and created again. */
  toReplace: readonly CachedJob[];
  /** Message about an exporter that failed for good. */
  failed?: string;
  blocked?: BlockedExport;
}

/** An exporter that does not run. */
export interface BlockedExport {
  message: string;
  /** Absent if waiting has no limit. */
  since?: Date;
  job: CachedJob;
}

const trueCondition = (job: CachedJob | undefined, type: string) =>
  job?.status?.conditions?.find(each => each.type === type && each.status === 'True');

function stateOf({ job }: Exporter): ExportStatus['state'] {
  if (trueCondition(job, 'Complete')) return 'Done';
  return trueCondition(job, 'Failed') ? 'Failed' : 'Running';
}

/** The Job controller creates Pods faster than this, unless something prevents it. */
const POD_CREATION_MS = 30_000;

const dateOr = (time: string | undefined, otherwise: Date) => (time === undefined ? otherwise : new Date(time));

const hasRun = (pod: CachedPod): boolean =>
  containersOf(pod).some(({ restartCount = 0, state }) => restartCount > 0 || state?.terminated !== undefined);

function blockedPod(name: string, pods: readonly CachedPod[], now: Date): Omit<BlockedExport, 'job'> | undefined {
  for (const pod of pods) {
    /* Retries of a Pod that has run are configured by the user, and are not limited here. */
    const since = hasRun(pod) ? undefined : dateOr(pod.metadata.creationTimestamp, now);
    const reason = blockedReason(pod, since, now);
    if (reason === undefined) continue;
    return { message: `export job ${name}: ${reason}`, since };
  }
  return undefined;
}

/** `mayRunSince`: since when the Job has not been suspended. */
function blockedExport(
  { name, job, pods }: Exporter,
  mayRunSince: string | undefined,
  now: Date,
): BlockedExport | undefined {
  if (!job || isTerminating(job)) return undefined;
  if (job.spec.suspend === true) return { message: `export job ${name} is suspended`, job };
  const blocked = blockedPod(name, pods, now);
  if (blocked || pods.length > 0) return blocked && { ...blocked, job };
  const { active = 0, failed = 0 } = job.status ?? {};
  const times = [mayRunSince, job.metadata.creationTimestamp].map(time => dateOr(time, now).getTime());
  const since = new Date(Math.max(...times));
  /* Between two tries a Job has no Pod either: it backs off exponentially. */
  if (active + failed > 0 || now.getTime() - since.getTime() < POD_CREATION_MS) return undefined;
  return { message: `export job ${name} has no Pod: kubectl describe job ${name} says why`, since, job };
}

/** If the Pod was lost this often, something will probably take away the next one, too. */
const MAX_TRIES = 4;

const shouldReplace = ({ state, lost, tries = 1 }: ExportStatus): boolean =>
  state === 'Failed' && lost === true && tries < MAX_TRIES;

/** A completed exporter stays completed even if its Job is deleted. A replaced Job no longer counts, although the cache may still have it. */
function exportStatus(exporter: Exporter, before: ExportStatus | undefined, now: Date): ExportStatus {
  const { name, job, pods } = exporter;
  if (before?.state === 'Done' || (job && job.metadata.uid === before?.replaced)) return before;
  const state = stateOf(exporter);
  const mayRun = state === 'Running' && job?.spec.suspend !== true;
  const isLost = before?.lost === true || pods.some(pod => disruptionReason(pod) !== undefined);
  return {
    job: name,
    state,
    ...(before?.tries === undefined ? {} : { tries: before.tries }),
    ...(job && isLost && state !== 'Done' ? { lost: true } : {}),
    ...(mayRun ? { mayRunSince: before?.mayRunSince ?? now.toISOString() } : {}),
  };
}

const replacedStatus = (
  { job, tries = 1 }: ExportStatus,
  replaced: CachedJob | undefined,
  now: Date,
): ExportStatus => ({
  job,
  state: 'Running',
  tries: tries + 1,
  replaced: replaced?.metadata.uid,
  mayRunSince: now.toISOString(),
});

function failureMessage({ name, job }: Exporter): string {
  const { message, reason } = trueCondition(job, 'Failed') ?? {};
  const details = message ?? reason;
  return `export job ${name} failed${details ? `: ${details}` : ''}`;
}

/** `before`: the exporters in the last status of this build. */
export function exportProgress(exporters: readonly Exporter[], before: ExportStatuses, now: Date): ExportProgress {
  const observed = exporters.map(exporter => {
    const status = exportStatus(
      exporter,
      before.find(({ job }) => job === exporter.name),
      now,
    );
    return { exporter, status, isReplaced: shouldReplace(status) };
  });
  const failed = observed.find(({ status, isReplaced }) => status.state === 'Failed' && !isReplaced);
  const running = observed.filter(({ status }) => status.state === 'Running');
  return {
    statuses: observed.map(({ exporter, status, isReplaced }) =>
      isReplaced ? replacedStatus(status, exporter.job, now) : status,
    ),
    missing: exporters.flatMap((exporter, index) =>
      exporter.job || !running.some(each => each.exporter === exporter) ? [] : [index],
    ),
    toReplace: observed.flatMap(({ exporter: { job }, isReplaced }) => (isReplaced && job ? [job] : [])),
    failed: failed && failureMessage(failed.exporter),
    blocked: running
      .map(({ exporter, status }) => blockedExport(exporter, status.mayRunSince, now))
      .find(blocked => blocked !== undefined),
  };
}
