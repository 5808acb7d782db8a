/**
 * What to do about an OSArtifact now:
 *
 *     what is stale goes ──▶ inputs read ──▶ files and Pod made ──▶ built ──▶ a Job per exporter ──▶ Ready
 *
 * Each Pod and Job bears the id of its build, a hash of spec and inputs: so that nothing of one build is taken for another's.
 */
import { hasEnded } from '../../cluster/job.js';
import { isAlive } from '../../cluster/pod.js';
import { exporting } from './exporting.js';
import type { Action, Facts, Plan } from '../facts.js';
import { AGAIN, building } from './building.js';
import { planWithEvent } from './plan-with-event.js';
import { lackingFor, stillTold, told } from '../status.js';
import { FAILED_RECHECK_MS, INPUT_RECHECK_MS, isGoing, TERMINATING_RECHECK_MS } from '../timeouts.js';

/** Nothing to do, and nothing to wait for. */
export const SETTLED: Plan = { events: [], actions: [] };

export function decide(facts: Facts): Plan {
  const { artifact, id, pod, input } = facts;
  const { metadata, status } = artifact;
  const finalizer: Action[] = (metadata.finalizers ?? []).includes(OBSOLETE_FINALIZER) ? [{ do: 'dropFinalizer' }] : [];
  if (metadata.deletionTimestamp !== undefined || finalizer.length > 0) return { ...SETTLED, actions: finalizer };
  const phase = status?.build === id ? status?.phase : undefined;
  if (id !== undefined && phase === 'Ready') return { ...SETTLED, status: stillTold(artifact) };
  if (isFromBefore(artifact)) return takenOver(facts);
  const waiting = leaving(facts, facts.stale);
  if (waiting) return waiting;
  if (input.is === 'missing' || input.is === 'wrong') return lacking(facts, input);
  if (id !== undefined && phase === 'Error') return failed(facts);
  /* From then on the Pod is not needed any more. */
  if (id !== undefined && phase === 'Exporting') return exporting(facts, id, {});
  if (id !== undefined && pod) return building(facts, id, pod);
  if (input.is !== 'ready') return SETTLED;
  /* Exporters of the same build, from when its spec was this one before, would read what is cleared away under them. */
  const jobs = facts.exporters.flatMap(({ job }) => (job ? [job] : []));
  return leaving(facts, { pods: [], jobs }) ?? begin(facts, input);
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

/** Files bear the same names in each build: one must be gone before the next begins. */
function leaving({ artifact, now }: Facts, { pods, jobs }: Facts['stale']): Plan | undefined {
  if (pods.length + jobs.length === 0) return undefined;
  const message = 'waiting for an earlier build of this object to be gone';
  return {
    status: told(artifact, { phase: 'Pending', reason: 'Waiting', message }, now),
    events: [],
    actions: [
      ...pods.filter(pod => !isGoing(pod)).map(pod => ({ do: 'deletePod' as const, pod })),
      ...jobs.filter(job => !isGoing(job)).map(job => ({ do: 'deleteJob' as const, job })),
    ],
    requeueAfterMs: TERMINATING_RECHECK_MS,
  };
}

/** It is not begun again until something is another. */
const failed = (facts: Facts): Plan => ({
  ...SETTLED,
  status: stillTold(facts.artifact),
  actions: leftBehind(facts),
  requeueAfterMs: FAILED_RECHECK_MS,
});

/** What should have gone with the end, had the one who told it lived. */
function leftBehind({ artifact, pod, exporters }: Facts): Action[] {
  const isGivenUp = artifact.status?.conditions?.some(({ reason }) => reason === 'ExportTimeout');
  const jobs = isGivenUp ? exporters.flatMap(({ job }) => (job && !hasEnded(job) && !isGoing(job) ? [job] : [])) : [];
  return [
    ...(pod && isAlive(pod) && !isGoing(pod) ? [{ do: 'deletePod' as const, pod }] : []),
    ...jobs.map(job => ({ do: 'deleteJob' as const, job })),
  ];
}

/** Whatever takes the builder away so often will go on doing so. */
const MOST_ATTEMPTS = 4;

function begin(facts: Facts, { id, rendered }: Extract<Facts['input'], { is: 'ready' }>): Plan {
  const { artifact, now } = facts;
  const { status } = artifact;
  const attempt = status?.build === id ? (status.attempt ?? 0) + 1 : 1;
  if (attempt <= MOST_ATTEMPTS)
    return { ...SETTLED, actions: [{ do: 'build', id, attempt, rendered }], requeueAfterMs: TERMINATING_RECHECK_MS };
  const message = `the builder Pod was lost ${MOST_ATTEMPTS} times; the last time: ${(status?.message ?? '').replace(AGAIN, '')}`;
  const words = { phase: 'Error', reason: 'BuildFailed', message } as const;
  return planWithEvent(facts, told(artifact, words, now, { build: id, attempt: status?.attempt }), {
    reason: 'BuildFailed',
  });
}

/** What is put right is picked up by itself, also after we have given up. A build that has failed is still one that has failed. */
function lacking(facts: Facts, { is, message }: { is: 'missing' | 'wrong'; message: string }): Plan {
  const { now, artifact, id } = facts;
  const { status } = artifact;
  const reason = is === 'wrong' ? 'InvalidInput' : 'InputMissing';
  const { waitingSince, isLate } = lackingFor(artifact, now);
  const isOfBuild = id !== undefined && status?.build === id;
  const hasFailed = isOfBuild && status.phase === 'Error';
  const phase = is === 'wrong' || isLate || hasFailed ? 'Error' : 'Pending';
  const known = { ...(isOfBuild ? { build: id, pod: status.pod } : {}), waitingSince };
  return planWithEvent(facts, told(artifact, { phase, reason, message }, now, known), {
    reason,
    actions: hasFailed ? leftBehind(facts) : [],
    requeueAfterMs: INPUT_RECHECK_MS,
  });
}
