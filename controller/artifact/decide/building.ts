/** The builder Pod at its work: what it says is told, and when it is done the files are known. */
import { ANNOTATIONS } from '../../../api/names.js';
import type { Event } from '../../../kube/recorder.js';
import type { CachedPod } from '../../cluster/pod.js';
import { tell, volumeReplaced } from '../events.js';
import { bringsArtifacts } from '../build/exporter-job.js';
import { exporting } from './exporting.js';
import type { Facts, Plan } from '../facts.js';
import { outputsSeen, type Progress, progressOf, stepsDone, stepsSeen } from '../progress/builder-progress.js';
import { planWithEvent } from './plan-with-event.js';
import { type Known, told } from '../status.js';
import { isGoing, TERMINATING_RECHECK_MS, PATIENCE_MS } from '../timeouts.js';

function knownOf(pod: CachedPod, id: string): Known {
  const steps = stepsSeen(pod);
  const outputs = outputsSeen(pod);
  return {
    build: id,
    pod: pod.metadata.name,
    attempt: Number(pod.metadata.annotations?.[ANNOTATIONS.attempt] ?? 1),
    progress: steps.length === 0 ? undefined : stepsDone(steps),
    steps,
    outputs: outputs.length === 0 ? undefined : outputs,
  };
}

export function building(facts: Facts, id: string, pod: CachedPod): Plan {
  const known = knownOf(pod, id);
  const progress = progressOf(pod, facts.now);
  switch (progress.is) {
    case 'done':
      return exporting(facts, id, known, finished(facts, known));
    case 'failed':
      return ended(facts, known, progress.message);
    case 'lost':
      return lost(facts, known, pod, progress.message);
    default:
      return going(facts, known, pod, progress);
  }
}

function ended(facts: Facts, known: Known, message: string): Plan {
  const words = { phase: 'Error', reason: 'BuildFailed', message } as const;
  return planWithEvent(facts, told(facts.artifact, words, facts.now, known), { reason: 'BuildFailed' });
}

/** What is said of a builder Pod that is lost, behind how it was. */
export const AGAIN = '; the build begins again when it is gone';

/** Another Pod is made once this one is gone: two must not write the same files. */
function lost(facts: Facts, known: Known, pod: CachedPod, why: string): Plan {
  const message = `the builder Pod ${why}${AGAIN}`;
  const words = { phase: 'Building', reason: 'BuilderLost', message } as const;
  return planWithEvent(facts, told(facts.artifact, words, facts.now, known), {
    reason: 'BuilderLost',
    actions: isGoing(pod) ? [] : [{ do: 'deletePod', pod }],
    requeueAfterMs: TERMINATING_RECHECK_MS,
  });
}

/** Steps that were not done when the status was written last. */
function finished({ artifact }: Facts, { build, attempt, steps = [] }: Known): Event[] {
  const { status } = artifact;
  const before = status?.build === build && status?.attempt === attempt ? (status?.steps ?? []) : [];
  const wasDone = (name: string) => before.some(step => step.name === name && step.state === 'Done');
  return steps.flatMap(({ name, state, startedAt, completedAt }, index) => {
    if (state !== 'Done' || wasDone(name)) return [];
    const seconds = startedAt && completedAt ? Math.round((Date.parse(completedAt) - Date.parse(startedAt)) / 1000) : 0;
    return [tell(artifact, 'StepDone', `step ${index + 1} of ${steps.length}, ${name}, is done after ${seconds} s`)];
  });
}

function begun({ artifact, build }: Facts, { build: id, attempt, pod }: Known): Event[] {
  const { status } = artifact;
  if (status?.build === id && status?.attempt === attempt) return [];
  const replaced = build.exporters.flatMap((exporter, index) =>
    bringsArtifacts(exporter) ? [volumeReplaced(artifact, index)] : [],
  );
  return [tell(artifact, 'Building', `building in Pod ${pod ?? ''}`), ...(attempt === 1 ? replaced : [])];
}

function going(
  facts: Facts,
  known: Known,
  pod: CachedPod,
  progress: Extract<Progress, { is: 'going' | 'held' }>,
): Plan {
  const { artifact, now } = facts;
  const { message } = progress;
  const leftMs = progress.is === 'held' ? progress.since.getTime() + PATIENCE_MS - now.getTime() : undefined;
  if (leftMs !== undefined && leftMs <= 0) {
    const status = told(artifact, { phase: 'Error', reason: 'BuildTimeout', message }, now, known);
    return planWithEvent(facts, status, { reason: 'BuildTimeout', actions: [{ do: 'deletePod', pod }] });
  }
  return {
    status: told(artifact, { phase: 'Building', reason: 'Building', message }, now, known),
    events: [...begun(facts, known), ...finished(facts, known)],
    actions: [],
    requeueAfterMs: leftMs,
  };
}
