/**
 * Keeps a Job until its result is in the status of its NodeOp: a time to live that a policy sets, or a job that cleans up, would otherwise
 * delete a finished Job while no controller is there to see it, and its success would be lost. The finalizer is set when the Job is created.
 * The write that removes it also suspends the Job, so that it never runs again, not even when a backup tool restores it without its status.
 */
import { NODE_OP } from '../../api/kinds.js';
import { FINALIZERS, LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { isConflict, isNotFound, isRefusal } from '../../kube/errors.js';
import type { Kube } from '../../kube/kube.js';
import { refreshObject } from '../../kube/live-read.js';
import { keyOf, parseKey } from '../../kube/object-key.js';
import { withResourceVersion } from '../../kube/patch.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import { JOBS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import { type CachedJob, hasEnded } from '../cluster/job.js';
import { isTerminating } from '../cluster/metadata.js';
import { nodeOpNameOf, nodeStatusOf } from '../cluster/nodeop-of-job.js';
import { ownedBy } from '../cluster/owner-index.js';
import { isFinal } from '../cluster/phases.js';

/** The Job controller may be writing the status of the Job. */
const AFTER_CONFLICT_MS = 100;

/**
 * How long the Job controller may take to complete a Job whose node has ended; usually it takes a second. If it saw the suspension before the end
 * of the Pod, it would delete that Pod, with its log, and never complete the Job.
 */
const COMPLETION_MS = 10_000;

type ReleaseCaches = Pick<Caches, 'jobs' | 'nodeOps' | 'pods'>;

interface JobFinalizerDeps {
  kube: Kube;
  caches: ReleaseCaches;
  log: Log;
  clock: Clock;
  /** When each Job that waits for its completion was first seen to be releasable, monotonic, by uid. */
  seen: Map<string, number>;
}

/** Its Jobs are seen again by the next leader, which lists them when it starts. */
export async function jobFinalizerController(
  deps: Omit<JobFinalizerDeps, 'seen'>,
  leading: AbortSignal,
): Promise<void> {
  const { caches, log, clock } = deps;
  const seen = new Map<string, number>();
  const reconcile = (key: string) => releaseJob(key, { ...deps, seen });
  const loop = reconciler({ name: 'job-finalizer', reconcile, log, clock, workers: 5 });
  const enqueueReleasable = (job: CachedJob) => {
    if (isHeld(job) && isReleasable(job, caches)) loop.enqueue(keyOf(job.metadata));
  };
  caches.jobs.onChange(({ old, new: job }) => {
    if (job) enqueueReleasable(job);
    else seen.delete(old?.metadata.uid ?? '');
  });
  caches.nodeOps.onChange(({ old, new: now }) => {
    const uid = (now ?? old)?.metadata.uid ?? '';
    for (const job of caches.jobs.byIndex('operation', uid)) enqueueReleasable(job);
  });
  for (const job of caches.jobs.list()) enqueueReleasable(job);
  await loop.run(leading);
}

const isHeld = ({ metadata }: CachedJob): boolean => metadata.finalizers?.includes(FINALIZERS.job) ?? false;

function nodeOpOf({ metadata }: CachedJob, { nodeOps }: ReleaseCaches): NodeOp | undefined {
  const name = nodeOpNameOf(metadata);
  const uid = metadata.labels?.[LABELS.nodeOpUid];
  const candidates =
    name === undefined
      ? nodeOps.list().filter(each => each.metadata.namespace === metadata.namespace)
      : [nodeOps.get({ name, namespace: metadata.namespace })];
  return candidates.find(each => each?.metadata.uid === uid);
}

/** The Job controller completes a Job some time after its Pod has succeeded, even if the Job is suspended or deleted then. */
const isOver = (job: CachedJob, { pods }: ReleaseCaches): boolean =>
  hasEnded(job) || ownedBy(pods, job).some(({ status }) => status.phase === 'Succeeded');

/** A Job that is deleted before it is over has no result to wait for, and its Pods end only when it is gone. */
function isReleasable(job: CachedJob, caches: ReleaseCaches): boolean {
  const nodeOp = nodeOpOf(job, caches);
  if (nodeOp === undefined || isFinal(nodeOp.status)) return true;
  return isFinal(nodeStatusOf(job, nodeOp)) || (isTerminating(job) && !isOver(job, caches));
}

async function releaseJob(key: string, deps: JobFinalizerDeps): Promise<Outcome> {
  const { kube, caches } = deps;
  const at = parseKey(key);
  const job = caches.jobs.get(at);
  if (job === undefined || !isHeld(job)) return { then: 'settled' };
  if (!isReleasable(job, caches)) return { then: 'settled' };
  const afterMs = holdMs(job, deps);
  if (afterMs > 0) return { then: 'requeue', afterMs };
  if (needsLiveNodeOp(job, caches) && !(await isReleasableLive(job, deps))) return { then: 'settled' };
  try {
    await release(job, deps);
  } catch (error) {
    if (isNotFound(error)) caches.jobs.remove(job);
    else if (isConflict(error)) await refreshObject(kube, JOBS, caches.jobs, at);
    else throw error;
    return { then: 'requeue', afterMs: AFTER_CONFLICT_MS };
  }
  return { then: 'settled' };
}

/** The event of its completion may be lost, and a Job that was stopped or whose NodeOp is gone is not completed. */
function holdMs(job: CachedJob, { caches, clock, seen }: JobFinalizerDeps): number {
  if (hasEnded(job) || isTerminating(job) || job.spec.suspend === true || nodeOpOf(job, caches) === undefined) return 0;
  const now = clock.monotonic();
  const since = seen.get(job.metadata.uid) ?? now;
  seen.set(job.metadata.uid, since);
  return since + COMPLETION_MS - now;
}

/** The cached NodeOp may be older than the Job: absent, or not retried yet. Then its node would be taken for one that has ended. */
const needsLiveNodeOp = (job: CachedJob, caches: ReleaseCaches): boolean =>
  nodeOpOf(job, caches) === undefined || (mustBeSuspended(job, caches) && !isOver(job, caches));

/** A NodeOp that appears or ends later enqueues its Jobs again. */
async function isReleasableLive(job: CachedJob, { kube, caches }: JobFinalizerDeps): Promise<boolean> {
  const name = nodeOpNameOf(job.metadata);
  if (name !== undefined)
    await refreshObject(kube, NODE_OP, caches.nodeOps, { name, namespace: job.metadata.namespace });
  return isReleasable(job, caches);
}

/**
 * Not a Job that is deleted anyway, or that still runs after its NodeOp was removed by force: the garbage collector ends it. One that has not
 * ended when its node has, for example on a lost Node, must not start another Pod.
 */
const mustBeSuspended = (job: CachedJob, caches: ReleaseCaches): boolean =>
  job.spec.suspend !== true && (isOver(job, caches) || (!isTerminating(job) && nodeOpOf(job, caches) !== undefined));

async function release(job: CachedJob, { kube, caches, seen }: JobFinalizerDeps): Promise<void> {
  const { name, namespace } = job.metadata;
  const finalizers = job.metadata.finalizers?.filter(each => each !== FINALIZERS.job) ?? [];
  const patch = (spec: object) =>
    kube.patch<CachedJob>(JOBS, { name, namespace }, withResourceVersion({ metadata: { finalizers }, ...spec }, job));
  const suspended = mustBeSuspended(job, caches) ? { spec: { suspend: true } } : {};
  /* A policy that does not let it be suspended must not keep it. */
  const saved = await patch(suspended).catch((error: unknown) => {
    if ('spec' in suspended && isRefusal(error)) return patch({});
    throw error;
  });
  seen.delete(job.metadata.uid);
  /* Without its last finalizer a deleted Job is gone, and must not return to the cache. */
  if (finalizers.length > 0 || !isTerminating(job)) caches.jobs.put(saved);
}
