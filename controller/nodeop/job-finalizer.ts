/**
 * Keeps a Job until its result is in the status of its NodeOp: a time to live that a policy sets, or a job that cleans up, would otherwise
 * delete a finished Job while no controller is there to see it, and its success would be lost. The finalizer is set when the Job is created.
 */
import { NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS, FINALIZERS, LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { isConflict, isNotFound } from '../../kube/errors.js';
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
import { isFinal } from '../cluster/phases.js';
import { isTerminating } from '../cluster/metadata.js';
import { ownValue } from '../../program/own-value.js';

/** The Job controller may be writing the status of the Job. */
const AFTER_CONFLICT_MS = 100;

interface JobFinalizerDeps {
  kube: Kube;
  caches: Pick<Caches, 'jobs' | 'nodeOps'>;
  log: Log;
  clock: Clock;
}

export async function jobFinalizerController(deps: JobFinalizerDeps, leading: AbortSignal): Promise<void> {
  const { caches, log, clock } = deps;
  const reconcile = (key: string) => releaseJob(key, deps);
  const loop = reconciler({ name: 'job-finalizer', reconcile, log, clock, workers: 4 });
  const enqueueReleasable = (job: CachedJob, nodeOp: NodeOp | undefined) => {
    if (isHeld(job) && isReleasable(job, nodeOp)) loop.enqueue(keyOf(job.metadata));
  };
  caches.jobs.onChange(({ new: job }) => job && enqueueReleasable(job, nodeOpOf(job, caches)));
  caches.nodeOps.onChange(({ old, new: now }) => {
    const uid = (now ?? old)?.metadata.uid ?? '';
    for (const job of caches.jobs.byIndex('operation', uid)) enqueueReleasable(job, now);
  });
  for (const job of caches.jobs.list()) enqueueReleasable(job, nodeOpOf(job, caches));
  await loop.run(leading);
}

const isHeld = ({ metadata }: CachedJob): boolean => metadata.finalizers?.includes(FINALIZERS.job) ?? false;

const nodeOpName = ({ metadata: { namespace, annotations } }: CachedJob) => ({
  namespace,
  name: annotations?.[ANNOTATIONS.nodeOpName] ?? '',
});

function nodeOpOf(job: CachedJob, { nodeOps }: Pick<Caches, 'nodeOps'>): NodeOp | undefined {
  const found = nodeOps.get(nodeOpName(job));
  return found?.metadata.uid === job.metadata.labels?.[LABELS.nodeOpUid] ? found : undefined;
}

/** A Job that is deleted before it has ended has no result to wait for, and its Pods end only when it is gone. */
function isReleasable(job: CachedJob, nodeOp: NodeOp | undefined): boolean {
  if (nodeOp === undefined || isFinal(nodeOp.status)) return true;
  if (isTerminating(job) && !hasEnded(job)) return true;
  return isFinal(ownValue(nodeOp.status?.nodeStatuses, job.metadata.annotations?.[ANNOTATIONS.nodeName] ?? ''));
}

async function releaseJob(key: string, { kube, caches }: JobFinalizerDeps): Promise<Outcome> {
  const at = parseKey(key);
  const job = caches.jobs.get(at);
  if (job === undefined || !isHeld(job)) return { then: 'settled' };
  const nodeOp = nodeOpOf(job, caches);
  if (!isReleasable(job, nodeOp) || (nodeOp === undefined && !(await isNodeOpDeleted(job, kube))))
    return { then: 'settled' };
  try {
    await removeFinalizer(job, { kube, caches });
  } catch (error) {
    if (isNotFound(error)) caches.jobs.remove(job);
    else if (isConflict(error)) await refreshObject(kube, JOBS, caches.jobs, at);
    else throw error;
    return { then: 'requeue', afterMs: AFTER_CONFLICT_MS };
  }
  return { then: 'settled' };
}

async function removeFinalizer(
  job: CachedJob,
  { kube, caches }: Pick<JobFinalizerDeps, 'kube' | 'caches'>,
): Promise<void> {
  const { name, namespace } = job.metadata;
  const finalizers = job.metadata.finalizers?.filter(each => each !== FINALIZERS.job) ?? [];
  /* The Job controller ignores it on a Job that has ended. Restored from a backup, without its status, the Job would run again. */
  const spec = hasEnded(job) ? { spec: { suspend: true } } : {};
  const patch = withResourceVersion({ metadata: { finalizers }, ...spec }, job);
  const saved = await kube.patch<CachedJob>(JOBS, { name, namespace }, patch);
  /* Without its last finalizer a deleted Job is gone, and must not return to the cache. */
  if (finalizers.length > 0 || !isTerminating(job)) caches.jobs.put(saved);
}

/** The cache may be behind; a NodeOp that appears later enqueues its Jobs again. */
async function isNodeOpDeleted(job: CachedJob, kube: Kube): Promise<boolean> {
  try {
    const found = await kube.get<NodeOp>(NODE_OP, nodeOpName(job));
    return found.metadata.uid !== job.metadata.labels?.[LABELS.nodeOpUid];
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}
