/** Follows the builder Pod: reports its progress, replaces it when it is lost, and continues with the exporters when it has succeeded. */
import type { FirstSeen } from '../../../api/meta.js';
import { ANNOTATIONS } from '../../../api/names.js';
import { declaresArtifactsVolume } from '../../../api/passthrough.js';
import type { Event } from '../../../kube/event-recorder.js';
import { firstSeen } from '../../cluster/first-seen.js';
import type { CachedPod } from '../../cluster/pod.js';
import { normalEvent, volumeReplaced } from '../events.js';
import type { Facts, Plan } from '../facts.js';
import { progressKey } from '../progress/blocked-pod.js';
import { outputStatuses, type Progress, progressOf, stepCount, stepStatuses } from '../progress/builder-progress.js';
import { type BuildDetails, newStatus } from '../status.js';
import { TERMINATING_RECHECK_MS, WAIT_LIMIT_MS } from '../timeouts.js';
import { exporting } from './exporting.js';
import { planWithEvent } from './plan-with-event.js';
import { isTerminating } from '../../cluster/metadata.js';

/** If the builder Pod was lost this often, something will probably take away the next one, too. */
export const MAX_ATTEMPTS = 4;

function detailsOf(pod: CachedPod, id: string): BuildDetails {
  const steps = stepStatuses(pod);
  const outputs = outputStatuses(pod);
  return {
    build: id,
    pod: pod.metadata.name,
    node: pod.spec.nodeName,
    attempt: Number(pod.metadata.annotations?.[ANNOTATIONS.attempt] ?? 1),
    progress: steps.length === 0 ? undefined : stepCount(steps),
    steps,
    outputs: outputs.length === 0 ? undefined : outputs,
  };
}

export function building(facts: Facts, id: string, pod: CachedPod): Plan {
  const details = detailsOf(pod, id);
  const lastProgress = firstSeen(progressKey(pod), [facts.artifact.status?.lastProgress], facts.now);
  const progress = progressOf(pod, new Date(lastProgress.since), facts.now);
  switch (progress.is) {
    case 'succeeded':
      return exporting(facts, id, details, completedSteps(facts, details));
    case 'failed':
      return buildFailed(facts, details, progress.message);
    case 'lost':
      return builderLost(facts, details, pod, progress.reason);
    default:
      return stillBuilding(facts, { ...details, lastProgress }, pod, progress);
  }
}

function buildFailed(facts: Facts, details: BuildDetails, message: string): Plan {
  const status = newStatus(facts.artifact, { phase: 'Error', reason: 'BuildFailed', message }, facts.now, details);
  return planWithEvent(facts, status, { reason: 'BuildFailed' });
}

/**
 * The next Pod is created when this one is deleted: two Pods must not write the same files. How it was lost is kept in the status, because
 * the Pod that shows it is deleted before the next attempt, or the failure, is decided.
 */
function builderLost(facts: Facts, details: BuildDetails, pod: CachedPod, lossReason: string): Plan {
  const isLast = (details.attempt ?? 1) >= MAX_ATTEMPTS;
  const next = isLast ? 'the build fails when it is deleted' : 'the build starts again when it is deleted';
  const summary = {
    phase: 'Building',
    reason: 'BuilderLost',
    message: `the builder Pod ${lossReason}; ${next}`,
  } as const;
  const status = newStatus(facts.artifact, summary, facts.now, { ...details, builderLoss: lossReason });
  return planWithEvent(facts, status, {
    reason: 'BuilderLost',
    actions: isTerminating(pod) ? [] : [{ do: 'deletePod', pod }],
    requeueAfterMs: TERMINATING_RECHECK_MS,
  });
}

/** Events about steps that have completed since the last status. */
function completedSteps({ artifact }: Facts, { build, attempt, steps = [] }: BuildDetails): Event[] {
  const { status } = artifact;
  const before = status?.build === build && status?.attempt === attempt ? (status?.steps ?? []) : [];
  const wasDone = (name: string) => before.some(step => step.name === name && step.state === 'Done');
  return steps.flatMap(({ name, state, startedAt, completedAt }, index) => {
    if (state !== 'Done' || wasDone(name)) return [];
    const tookMs = startedAt && completedAt ? Date.parse(completedAt) - Date.parse(startedAt) : 0;
    /* The clock of the node may have been set back in between. */
    const seconds = Math.max(0, Math.round(tookMs / 1000));
    return [
      normalEvent(artifact, 'StepDone', `step ${index + 1} of ${steps.length}, ${name}, is done after ${seconds} s`),
    ];
  });
}

/** Events about a builder Pod that the last status did not have. */
function buildStarted({ artifact, build }: Facts, { build: id, attempt, pod }: BuildDetails): Event[] {
  const { status } = artifact;
  if (status?.build === id && status?.attempt === attempt) return [];
  const replaced = build.exporters.flatMap((exporter, index) =>
    declaresArtifactsVolume(exporter) ? [volumeReplaced(artifact, index)] : [],
  );
  return [normalEvent(artifact, 'Building', `building in Pod ${pod ?? ''}`), ...(attempt === 1 ? replaced : [])];
}

function stillBuilding(
  facts: Facts,
  details: BuildDetails & { lastProgress: FirstSeen },
  pod: CachedPod,
  progress: Extract<Progress, { is: 'running' | 'blocked' }>,
): Plan {
  const { artifact, now } = facts;
  const { message } = progress;
  const limit = Date.parse(details.lastProgress.since) + WAIT_LIMIT_MS;
  const leftMs = progress.is === 'blocked' ? limit - now.getTime() : undefined;
  if (leftMs !== undefined && leftMs <= 0) {
    const status = newStatus(artifact, { phase: 'Error', reason: 'BuildTimeout', message }, now, details);
    return planWithEvent(facts, status, { reason: 'BuildTimeout', actions: [{ do: 'deletePod', pod }] });
  }
  return {
    status: newStatus(artifact, { phase: 'Building', reason: 'Building', message }, now, details),
    events: [...buildStarted(facts, details), ...completedSteps(facts, details)],
    actions: [],
    requeueAfterMs: leftMs,
  };
}
