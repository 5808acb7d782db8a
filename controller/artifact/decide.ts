/**
 * What to do about an OSArtifact now:
 *
 *     what is stale goes ──▶ inputs read ──▶ files and Pod made ──▶ built ──▶ a Job per exporter ──▶ Ready
 *
 * Each Pod and Job bears the id of its build, a hash of spec and inputs: so that nothing of one build is taken for another's.
 */
import type { ArtifactReason } from '../../api/artifact-reasons.js';
import type { OSArtifactStatus } from '../../api/os-artifact.js';
import { podName } from './builder-pod.js';
import { tell, volumeReplaced, warn } from './events.js';
import { bringsArtifacts } from './exporter-job.js';
import { exportsSeen } from './exports.js';
import type { Action, Facts, Plan } from './facts.js';
import { type Progress, progressOf, stepsSeen } from './progress.js';
import { hasEnded, told } from './status.js';
import { isAlive, type SeenPod } from '../seen.js';

/** Nobody tells us of a Secret that appears. */
const INPUT_LOOK_MS = 5_000;
const LEAVING_LOOK_MS = 2_000;
/** After a failure somebody may be changing the Secret that the build was made by. */
const FAILED_LOOK_MS = 15_000;
/** How long a build may lack an input, a node or an image. */
const PATIENCE_MS = 3_600_000;

/** Nothing to do, and nothing to wait for. */
export const SETTLED: Plan = { events: [], actions: [] };

export function decide(facts: Facts): Plan {
  const { artifact, id, pod, input } = facts;
  const { metadata, status } = artifact;
  const finalizer: Action[] = (metadata.finalizers ?? []).includes(OBSOLETE_FINALIZER) ? [{ do: 'dropFinalizer' }] : [];
  if (metadata.deletionTimestamp !== undefined || finalizer.length > 0) return { ...SETTLED, actions: finalizer };
  if (id !== undefined && status?.build === id && status.phase === 'Ready') return SETTLED;
  if (isFromBefore(artifact)) return takenOver(facts);
  const leaving = staleLeaving(facts);
  if (leaving) return leaving;
  if (id !== undefined && (pod || isExporting(facts))) return follow(facts, id);
  if (input.is === 'ready') return begin(facts, input);
  if (input.is === 'unread') return SETTLED;
  return lacking(facts, input);
}

export const OBSOLETE_FINALIZER = 'build.kairos.io/osbuilder-finalizer';

/** Built by the Go operator, which told phase and message alone. */
const isFromBefore = ({ status }: Facts['artifact']): boolean =>
  status?.phase === 'Ready' && status.observedGeneration === undefined;

/** It is not built again until its spec changes: whoever changes operators does not ask for every upload a second time. */
function takenOver({ artifact, specId, id, now }: Facts): Plan {
  const message = artifact.status?.message ?? 'built before';
  const build = id ?? `${specId}-`;
  return { ...SETTLED, status: told(artifact, { phase: 'Ready', reason: 'Built', message }, now, { build }) };
}

/** From then on the Pod is not needed any more. */
const isExporting = ({ artifact: { status }, id }: Facts): boolean =>
  status?.build === id && status?.phase === 'Exporting';

const isGoing = ({ metadata }: Pick<SeenPod, 'metadata'>): boolean => metadata.deletionTimestamp !== undefined;

/** Files bear the same names in each build: one must be gone before the next begins. */
function staleLeaving({ stale, artifact, now }: Facts): Plan | undefined {
  if (stale.pods.length + stale.jobs.length === 0) return undefined;
  const message = 'waiting for an earlier build of this object to be gone';
  return {
    status: told(artifact, { phase: 'Pending', reason: 'Waiting', message }, now),
    events: [],
    actions: [
      ...stale.pods.filter(pod => !isGoing(pod)).map(pod => ({ do: 'deletePod' as const, pod })),
      ...stale.jobs.filter(job => !isGoing(job)).map(job => ({ do: 'deleteJob' as const, job })),
    ],
    lookAgainInMs: LEAVING_LOOK_MS,
  };
}

/** A build that failed is not begun again until something is another. */
function begin({ artifact }: Facts, { id, rendered }: { id: string; rendered: { definition?: string } }): Plan {
  if (artifact.status?.build === id && artifact.status.phase === 'Error')
    return { ...SETTLED, lookAgainInMs: FAILED_LOOK_MS };
  return { ...SETTLED, actions: [{ do: 'build', id, rendered }], lookAgainInMs: LEAVING_LOOK_MS };
}

/** Since when the object has been in this state without a build. */
function waitingSince({ artifact: { status, metadata }, now }: Facts): Date {
  const reconciling = status?.conditions?.find(({ type, status: is }) => type === 'Reconciling' && is === 'True');
  const isOfThis = status?.observedGeneration === metadata.generation;
  return reconciling && isOfThis ? new Date(reconciling.lastTransitionTime) : now;
}

/** What is put right is picked up by itself, also after we have given up. */
function lacking(facts: Facts, { is, message }: { is: 'missing' | 'wrong'; message: string }): Plan {
  const { now, artifact } = facts;
  const reason = is === 'wrong' ? 'InvalidInput' : 'InputMissing';
  const late = hasEnded(artifact) || now.getTime() - waitingSince(facts).getTime() >= PATIENCE_MS;
  const phase = is === 'wrong' || late ? 'Error' : 'Pending';
  return said(facts, told(artifact, { phase, reason, message }, now), { reason, lookAgainInMs: INPUT_LOOK_MS });
}

/** An event goes with the status only where that says something new. */
function said(
  { artifact }: Facts,
  status: OSArtifactStatus,
  {
    reason,
    actions = [],
    lookAgainInMs,
  }: { reason: ArtifactReason; actions?: readonly Action[]; lookAgainInMs?: number },
): Plan {
  const isNew = artifact.status?.message !== status.message || artifact.status?.phase !== status.phase;
  const isBad = status.phase === 'Error' || reason === 'InputMissing' || reason === 'Waiting';
  const event = (isBad ? warn : tell)(artifact, reason, status.message ?? '');
  return { status, events: isNew ? [event] : [], actions, lookAgainInMs };
}

function follow(facts: Facts, id: string): Plan {
  const { artifact, pod, now } = facts;
  if (artifact.status?.build === id && artifact.status.phase === 'Error')
    return {
      ...SETTLED,
      actions: pod && isAlive(pod) && !isGoing(pod) ? [{ do: 'deletePod', pod }] : [],
      lookAgainInMs: FAILED_LOOK_MS,
    };
  if (!pod) return exporting(facts, id, {});
  const known = { build: id, pod: pod.metadata.name, steps: stepsSeen(pod) };
  const progress = progressOf(pod);
  if (progress.is === 'done') return exporting(facts, id, { ...known, outputs: progress.outputs });
  if (progress.is === 'failed') {
    const status = told(artifact, { phase: 'Error', reason: 'BuildFailed', message: progress.message }, now, known);
    return said(facts, status, { reason: 'BuildFailed' });
  }
  return going(facts, progress, known);
}

function going(facts: Facts, progress: Extract<Progress, { since: Date }>, known: OSArtifactStatus): Plan {
  const { artifact, pod, now, build } = facts;
  const leftMs = progress.since.getTime() + PATIENCE_MS - now.getTime();
  const { message } = progress;
  if (progress.is === 'held' && leftMs <= 0) {
    const status = told(artifact, { phase: 'Error', reason: 'BuildTimeout', message }, now, known);
    return said(facts, status, { reason: 'BuildTimeout', actions: pod ? [{ do: 'deletePod', pod }] : [] });
  }
  const status = told(artifact, { phase: 'Building', reason: 'Building', message }, now, known);
  const isFirst = artifact.status?.build !== known.build;
  const replaced = build.exporters.flatMap((exporter, index) =>
    bringsArtifacts(exporter) ? [volumeReplaced(artifact, index)] : [],
  );
  return {
    status,
    events: isFirst
      ? [tell(artifact, 'Building', `building in Pod ${podName(artifact.metadata, known.build ?? '')}`), ...replaced]
      : [],
    actions: [],
    lookAgainInMs: progress.is === 'held' ? leftMs : undefined,
  };
}

function exporting(facts: Facts, id: string, known: Omit<OSArtifactStatus, 'phase'>): Plan {
  const { artifact, build, now } = facts;
  const seen = exportsSeen(artifact.metadata, build, facts.jobs);
  const more = { build: id, pod: artifact.status?.pod, ...known };
  if (seen.failed !== undefined) {
    const status = told(artifact, { phase: 'Error', reason: 'ExportFailed', message: seen.failed }, now, more);
    return said(facts, status, { reason: 'ExportFailed' });
  }
  if (seen.open === 0) {
    const files = (more.outputs ?? artifact.status?.outputs ?? []).map(({ name }) => name);
    const message = files.length === 0 ? 'built' : `built: ${files.join(', ')}`;
    return said(facts, told(artifact, { phase: 'Ready', reason: 'Built', message }, now, more), { reason: 'Built' });
  }
  const message = `${build.exporters.length - seen.open} of ${build.exporters.length} exporters are done`;
  const status = told(artifact, { phase: 'Exporting', reason: 'Exporting', message }, now, more);
  const actions = seen.missing.map(index => ({ do: 'export' as const, id, index }));
  return said(facts, status, {
    reason: 'Exporting',
    actions,
    lookAgainInMs: actions.length > 0 ? LEAVING_LOOK_MS : undefined,
  });
}
