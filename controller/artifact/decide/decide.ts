/**
 * Decides what to do about an OSArtifact:
 *
 *     delete stale objects ──▶ read inputs ──▶ create volumes and builder Pod ──▶ follow it ──▶ one Job per exporter ──▶ Ready
 *
 * Each Pod and Job carries the id of its build, a hash of spec and inputs, so that objects of different builds are never confused.
 */
import type { OSArtifactStatus } from '../../../api/os-artifact.js';
import { hasEnded } from '../../cluster/job.js';
import { isAlive } from '../../cluster/pod.js';
import { type Action, type Facts, LEGACY_FINALIZER, type Plan } from '../facts.js';
import { newStatus, waitingPeriod, withObservedGeneration } from '../status.js';
import { FAILED_RECHECK_MS, INPUT_RECHECK_MS, TERMINATING_RECHECK_MS } from '../timeouts.js';
import { building, MAX_ATTEMPTS } from './building.js';
import { exporting } from './exporting.js';
import { planWithEvent } from './plan-with-event.js';
import { isRecorded, rejectionOf, type RenderingStatus, startedRendering } from './rendering.js';
import { isTerminating } from '../../cluster/metadata.js';

/** Nothing to do and nothing to wait for. */
const SETTLED: Plan = { events: [], actions: [] };

export function decide(facts: Facts): Plan {
  const { artifact, id, pod, input } = facts;
  const { metadata, status } = artifact;
  const hasLegacyFinalizer = metadata.finalizers?.includes(LEGACY_FINALIZER) === true;
  if (hasLegacyFinalizer) return { ...SETTLED, actions: [{ do: 'removeLegacyFinalizer' }] };
  if (isTerminating(artifact)) return SETTLED;
  const phase = status?.build === id ? status?.phase : undefined;
  if (id !== undefined && phase === 'Ready') return { ...SETTLED, status: withObservedGeneration(artifact) };
  if (isBuiltByLegacyOperator(artifact)) return adoptLegacyBuild(facts);
  const waiting = deleteFirst(facts, facts.stale);
  if (waiting) return waiting;
  if (input.is === 'missing' || input.is === 'invalid') return waitForInput(facts, input);
  if (id !== undefined && phase === 'Error') return stayFailed(facts);
  /* The exporters do not need the builder Pod any more. */
  if (id !== undefined && phase === 'Exporting') return exporting(facts, id, {});
  if (id !== undefined && pod) return building(facts, id, pod);
  if (input.is !== 'ready') return SETTLED;
  /* Where a spec was changed and changed back, exporters of the same build may be left. The new build would clear the files that they read. */
  const jobs = facts.exporters.flatMap(({ job }) => (job ? [job] : []));
  return deleteFirst(facts, { pods: [], jobs }) ?? startBuild(facts, input);
}

/** The Go operator wrote only phase and message. */
const isBuiltByLegacyOperator = ({ status }: Facts['artifact']): boolean =>
  status?.phase === 'Ready' && status.observedGeneration === undefined;

/** Replacing the operator must not repeat every build and upload: it is built again when its spec changes. */
function adoptLegacyBuild({ artifact, specId, id, now }: Facts): Plan {
  const message = artifact.status?.message ?? 'built before';
  const build = id ?? `${specId}-`;
  return { ...SETTLED, status: newStatus(artifact, { phase: 'Ready', reason: 'Built', message }, now, { build }) };
}

/** Files have the same names in each build, so the objects of one build must be deleted before the next one starts. Undefined if there are none. */
function deleteFirst({ artifact, now }: Facts, { pods, jobs }: Facts['stale']): Plan | undefined {
  if (pods.length + jobs.length === 0) return undefined;
  const message = 'waiting for an earlier build of this object to be deleted';
  return {
    status: newStatus(artifact, { phase: 'Pending', reason: 'Waiting', message }, now),
    events: [],
    actions: [
      ...pods.filter(pod => !isTerminating(pod)).map(pod => ({ do: 'deletePod' as const, pod })),
      ...jobs.filter(job => !isTerminating(job)).map(job => ({ do: 'deleteJob' as const, job })),
    ],
    requeueAfterMs: TERMINATING_RECHECK_MS,
  };
}

/** A failed build restarts only when its spec or inputs change. */
const stayFailed = (facts: Facts): Plan => ({
  ...SETTLED,
  status: withObservedGeneration(facts.artifact),
  actions: leftoversOf(facts),
  requeueAfterMs: FAILED_RECHECK_MS,
});

/** Deletes what a controller did not delete because it stopped after it had written the final status. */
function leftoversOf({ artifact, pod, exporters }: Facts): Action[] {
  const hasTimedOut = artifact.status?.conditions?.some(({ reason }) => reason === 'ExportTimeout');
  const unfinished = exporters.flatMap(({ job }) => (job && !hasEnded(job) && !isTerminating(job) ? [job] : []));
  return [
    ...(pod && isAlive(pod) && !isTerminating(pod) ? [{ do: 'deletePod' as const, pod }] : []),
    ...(hasTimedOut ? unfinished : []).map(job => ({ do: 'deleteJob' as const, job })),
  ];
}

function startBuild(facts: Facts, input: Extract<Facts['input'], { is: 'ready' }>): Plan {
  const { id, inputs } = input;
  const { artifact, now } = facts;
  const { status } = artifact;
  const attempt = status?.build === id ? (status.attempt ?? 0) + 1 : 1;
  const rejected = inputs.template && rejectionOf(status, id, facts.run);
  if (rejected !== undefined) return waitForInput(facts, { is: 'invalid', message: rejected });
  if (attempt <= MAX_ATTEMPTS) {
    const plan: Plan = {
      ...SETTLED,
      actions: [{ do: 'build', id, attempt, inputs }],
      requeueAfterMs: TERMINATING_RECHECK_MS,
    };
    const record = inputs.template && startedRendering(status, id, facts.run);
    return record && !isRecorded(status, record)
      ? { ...plan, status: withRendering(facts, id, record), reportFirst: true }
      : plan;
  }
  /* Without a record, the Pod disappeared before its loss was observed. */
  const lastLoss = status?.builderLoss ?? 'was deleted';
  const message = `the builder Pod was lost ${MAX_ATTEMPTS} times; the last time: the builder Pod ${lastLoss}`;
  const summary = { phase: 'Error', reason: 'BuildFailed', message } as const;
  return planWithEvent(facts, newStatus(artifact, summary, now, { build: id, attempt: status?.attempt }), {
    reason: 'BuildFailed',
  });
}

/** A builder that was lost keeps its details: they count the attempts. */
function withRendering({ artifact, now }: Facts, id: string, rendering: RenderingStatus): OSArtifactStatus {
  const { status } = artifact;
  if (status?.build === id) return { ...status, rendering };
  const summary = { phase: 'Pending', reason: 'Waiting', message: 'the definition is being rendered' } as const;
  return newStatus(artifact, summary, now, { rendering });
}

/** Inputs are read again even after the phase has become Error, so that a corrected one is picked up. A build that has failed stays failed. */
function waitForInput(facts: Facts, { is, message }: { is: 'missing' | 'invalid'; message: string }): Plan {
  const { now, artifact, id } = facts;
  const { status } = artifact;
  const reason = is === 'invalid' ? 'InvalidInput' : 'InputMissing';
  const { waitingSince, isTooLong } = waitingPeriod(artifact, now);
  const isOfBuild = id !== undefined && status?.build === id;
  const hasFailed = isOfBuild && status.phase === 'Error';
  const phase = is === 'invalid' || isTooLong || hasFailed ? 'Error' : 'Pending';
  const { rendering } = status ?? {};
  const details = { ...(isOfBuild ? { build: id, pod: status.pod } : {}), waitingSince, rendering };
  return planWithEvent(facts, newStatus(artifact, { phase, reason, message }, now, details), {
    reason,
    actions: hasFailed ? leftoversOf(facts) : [],
    requeueAfterMs: INPUT_RECHECK_MS,
  });
}
