/** Performs one action. Every write carries the resourceVersion or uid that it was decided on. */
import { NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS, FINALIZERS, LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { isConflict, isForbidden, isNotFound } from '../../kube/errors.js';
import { keyOf } from '../../kube/object-key.js';
import type { Kube } from '../../kube/kube.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
import { isControlledBy, controllerReference } from '../../kube/owner.js';
import { mergeStatus, withResourceVersion } from '../../kube/patch.js';
import type { Recorder } from '../../kube/event-recorder.js';
import { CLUSTER_ROLE_BINDINGS, JOBS, NODES, PODS } from '../../kube/resources.js';
import type { Log } from '../../program/log.js';
import { ADOPTED_AT, ADOPTED_COMPLETE, ADOPTED_IN_BOOT } from '../cluster/adopted-job.js';
import { UNCORDON_PATCH } from '../cluster/cordon.js';
import type { Caches } from '../cluster/informers.js';
import { conditionOf, pruneJob, type CachedJob } from '../cluster/job.js';
import type { CachedNode } from '../cluster/node.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import { bindingNotDeleted, deletedWithoutWaiting, deletionWaitsForJob, migrated } from './events.js';
import type { Action } from './facts.js';
import { belongsTo, type LegacyOperator } from './legacy-operator.js';
import { LEGACY_FINALIZER, rebootBindingName } from './names.js';
import { hasTriggeredReboot } from './reboot-pod.js';
import { isTerminating } from '../cluster/metadata.js';

export interface ActDeps {
  kube: Kube;
  caches: Caches;
  recorder: Recorder;
  legacy: Pick<LegacyOperator, 'rememberJob' | 'forgetJob' | 'rebootPods'>;
  log: Log;
}

export async function act(op: NodeOp, action: Action, deps: ActDeps): Promise<void> {
  deps.log.info(
    { object: keyOf(op.metadata), action: action.do, ...logFields(action) },
    'migrating from the Go operator',
  );
  switch (action.do) {
    case 'adoptJob':
      return adoptJob(op, action, deps);
    case 'deletePod':
      return deletePod(action.pod, deps);
    case 'uncordon':
      return uncordon(action.node, deps);
    case 'migrateStatus':
      return migrateStatus(op, action, deps);
    case 'reportWaiting': {
      const status = { ...op.status, message: action.message };
      deps.caches.nodeOps.put(await mergeStatus(deps.kube, NODE_OP, op, { status }));
      return undefined;
    }
    case 'removeFinalizer':
      return removeFinalizer(op, action, deps);
    default:
      return unreachable(action);
  }
}

const unreachable = (action: never): never => {
  throw new Error(`unknown action ${JSON.stringify(action)}`);
};

const logFields = (action: Action): object => {
  if (action.do === 'adoptJob') return { job: action.job.metadata.name, node: action.node, boot: action.boot };
  if (action.do === 'deletePod') return { pod: action.pod.metadata.name, node: action.pod.spec.nodeName };
  return action.do === 'uncordon' ? { node: action.node.metadata.name } : {};
};

async function migrateStatus(
  op: NodeOp,
  { status }: Extract<Action, { do: 'migrateStatus' }>,
  { kube, caches, recorder }: ActDeps,
): Promise<void> {
  /* A field that only the legacy operator writes is removed. */
  const removed = Object.fromEntries(Object.keys(op.status ?? {}).map(key => [key, undefined]));
  caches.nodeOps.put(await mergeStatus(kube, NODE_OP, op, { status: { ...removed, ...status } }));
  recorder.record(migrated(op, status));
}

/** Labels the Job as one of this operator, so that the informer reports its end. If it has changed since it was observed, it is read again. */
async function adoptJob(
  op: NodeOp,
  { job, node, boot, at }: Extract<Action, { do: 'adoptJob' }>,
  { kube, caches, legacy, recorder }: ActDeps,
): Promise<void> {
  const { name, namespace, uid } = job.metadata;
  const place = { name, namespace };
  const metadata = {
    labels: { [LABELS.nodeOpUid]: op.metadata.uid },
    annotations: {
      [ANNOTATIONS.nodeOpName]: op.metadata.name,
      [ANNOTATIONS.nodeName]: node,
      [ADOPTED_IN_BOOT]: boot,
      [ADOPTED_COMPLETE]: String(conditionOf(job, 'Complete') !== undefined),
      [ADOPTED_AT]: job.metadata.annotations?.[ADOPTED_AT] ?? at,
    },
    ...(mayGetFinalizer(op, job) ? { finalizers: [...(job.metadata.finalizers ?? []), FINALIZERS.job] } : {}),
    ...(isControlledBy(job, op) ? {} : { ownerReferences: [controllerReference(NODE_OP, op)] }),
  };
  try {
    const adopted = await kube.patch<CachedJob>(JOBS, place, withResourceVersion({ metadata }, job));
    caches.jobs.putLive(adopted);
    legacy.forgetJob(job);
    if (op.metadata.deletionTimestamp !== undefined) recorder.record(deletionWaitsForJob(op, job.metadata.name));
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
    const now = await undefinedIfNotFound(kube.get<CachedJob>(JOBS, place));
    if (now?.metadata.uid === uid) legacy.rememberJob(pruneJob(now));
    else legacy.forgetJob(job);
  }
}

/** The API server rejects new finalizers on an object that is being deleted. */
const mayGetFinalizer = (op: NodeOp, job: CachedJob): boolean =>
  op.metadata.deletionTimestamp === undefined &&
  !isTerminating(job) &&
  job.metadata.finalizers?.includes(FINALIZERS.job) !== true;

async function undefinedIfNotFound<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Long enough for a Pod that only waits, and short enough for one that is about to reboot: it sleeps five seconds before it does. */
const GRACE_SECONDS = 1;

export async function deletePod(pod: CachedPod, { kube, caches }: Pick<ActDeps, 'kube' | 'caches'>): Promise<void> {
  const { name, namespace, uid, resourceVersion } = pod.metadata;
  const options = { uid, resourceVersion, gracePeriodSeconds: GRACE_SECONDS };
  await ignoreNotFound(kube.delete(PODS, { name, namespace }, options), () => caches.pods.remove(pod));
}

async function uncordon(node: CachedNode, { kube, caches }: ActDeps): Promise<void> {
  const at = { name: node.metadata.name };
  caches.nodes.put(await kube.patch<CachedNode>(NODES, at, withResourceVersion(UNCORDON_PATCH, node)));
}

/**
 * The name of a binding has no namespace in it, so NodeOps of the same name in several namespaces share one. Their reboot Pods need it to
 * annotate themselves before they reboot, so it is deleted with the last of them.
 */
const needsSharedBinding = (pod: CachedPod, op: NodeOp): boolean =>
  pod.metadata.labels?.[LABELS.nodeOp] === op.metadata.name &&
  isAlive(pod) &&
  !hasTriggeredReboot(pod) &&
  !belongsTo(pod, op);

/** Deletes the binding, too, where that is permitted. Where it is not, an Event reports it, and the deletion of the NodeOp is not blocked. */
async function removeFinalizer(
  op: NodeOp,
  { unfinished }: Extract<Action, { do: 'removeFinalizer' }>,
  { kube, caches, recorder, legacy }: ActDeps,
): Promise<void> {
  const { name, namespace, finalizers = [] } = op.metadata;
  try {
    if (!legacy.rebootPods().some(pod => needsSharedBinding(pod, op)))
      await kube.delete(CLUSTER_ROLE_BINDINGS, { name: rebootBindingName(name) });
  } catch (error) {
    if (isForbidden(error)) recorder.record(bindingNotDeleted(op));
    else if (!isNotFound(error)) throw error;
  }
  const remaining = finalizers.filter(each => each !== LEGACY_FINALIZER);
  const patch = withResourceVersion({ metadata: { finalizers: remaining } }, op);
  const saved = await kube.patch<NodeOp>(NODE_OP, { name, namespace }, patch);
  if (unfinished !== undefined) recorder.record(deletedWithoutWaiting(op, unfinished));
  if (remaining.length > 0 || op.metadata.deletionTimestamp === undefined) caches.nodeOps.put(saved);
}
