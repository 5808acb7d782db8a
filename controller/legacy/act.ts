/** Performs one action. Every write carries the version or uid that it was decided on. */
import { NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS, LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { isConflict, isForbidden, isNotFound } from '../../kube/errors.js';
import { keyOf } from '../../kube/key.js';
import type { Kube } from '../../kube/kube.js';
import { isControlledBy, controllerReference } from '../../kube/owner.js';
import { ignoreNotFound } from '../../kube/ignore-not-found.js';
import { mergeStatus, withResourceVersion } from '../../kube/patch.js';
import type { Recorder } from '../../kube/recorder.js';
import { CLUSTER_ROLE_BINDINGS, JOBS, NODES, PODS } from '../../kube/resources.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import { UNCORDON_PATCH } from '../cluster/cordon.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import { pruneJob, type CachedJob } from '../cluster/job.js';
import type { CachedNode } from '../cluster/node.js';
import { bindingLeft, deletionWaits, notEnded, takenOver } from './events.js';
import { completedAt } from '../cluster/adopted-job.js';
import type { Action } from './facts.js';
import { type LegacyOperator, isOf } from './legacy-operator.js';
import { isCalled } from './decide-node.js';
import { bindingOf, LEGACY_FINALIZER } from './names.js';
import { ADOPTED_IN_BOOT, ADOPTED_COMPLETE } from '../cluster/adopted-job.js';

export interface ActDeps {
  kube: Kube;
  caches: Caches;
  recorder: Recorder;
  former: Pick<LegacyOperator, 'know' | 'drop' | 'rebootPods'>;
  log: Log;
}

export async function act(op: NodeOp, action: Action, hands: ActDeps): Promise<void> {
  hands.log.info({ object: keyOf(op.metadata), ...told(action) }, `migration: ${action.do}`);
  switch (action.do) {
    case 'adoptJob':
      return adoptJob(op, action, hands);
    case 'deletePod':
      return deletePod(action.pod, hands);
    case 'uncordon':
      return uncordon(action.node, hands);
    case 'convert': {
      const saved = await mergeStatus(hands.kube, NODE_OP, op, { status: replacing(op.status, action.status) });
      hands.caches.nodeOps.put(saved);
      return hands.recorder.record(takenOver(op, action.status));
    }
    case 'tell': {
      const status = { ...op.status, message: action.message };
      hands.caches.nodeOps.put(await mergeStatus(hands.kube, NODE_OP, op, { status }));
      return undefined;
    }
    case 'dropFinalizer':
      return dropFinalizer(op, action, hands);
    default:
      return unreachable(action);
  }
}

const unreachable = (action: never): never => {
  throw new Error(`unknown action ${JSON.stringify(action)}`);
};

const told = (action: Action): object => {
  if (action.do === 'adoptJob') return { job: action.job.metadata.name, node: action.node, boot: action.boot };
  if (action.do === 'deletePod') return { pod: action.pod.metadata.name, node: action.pod.spec.nodeName };
  return action.do === 'uncordon' ? { node: action.node.metadata.name } : {};
};

/** Field by field: what the earlier operator wrote and we do not goes. */
const replacing = (before: NodeOp['status'], after: NonNullable<NodeOp['status']>): NonNullable<NodeOp['status']> => ({
  ...Object.fromEntries(Object.keys(before ?? {}).map(key => [key, undefined])),
  ...after,
});

/** From now on it is watched with our own, and its end is heard of. Until then it is read when it turns out to be another than was seen. */
async function adoptJob(
  op: NodeOp,
  { job, node, boot }: Extract<Action, { do: 'adoptJob' }>,
  { kube, caches, former, recorder }: ActDeps,
): Promise<void> {
  const { name, namespace, uid } = job.metadata;
  const at = { name, namespace };
  const metadata = {
    labels: { [LABELS.nodeOpUid]: op.metadata.uid },
    annotations: {
      [ANNOTATIONS.nodeOpName]: op.metadata.name,
      [ANNOTATIONS.nodeName]: node,
      [ADOPTED_IN_BOOT]: boot,
      [ADOPTED_COMPLETE]: String(completedAt(job) !== undefined),
    },
    ...(isControlledBy(job, op) ? {} : { ownerReferences: [controllerReference(NODE_OP, op)] }),
  };
  try {
    const taken = await kube.patch<CachedJob>(JOBS, at, withResourceVersion({ metadata }, job));
    caches.jobs.putLive(taken);
    former.drop(job);
    if (op.metadata.deletionTimestamp !== undefined) recorder.record(deletionWaits(op, job.metadata.name));
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
    const now = await orUndefined(kube.get<CachedJob>(JOBS, at));
    if (now?.metadata.uid === uid) former.know(pruneJob(now));
    else former.drop(job);
  }
}

async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** A second is enough for a Pod that waits: one that has found what it waits for sleeps five before it reboots. */
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

/** A binding is named after the NodeOp alone: one of that name elsewhere has the same, and its Pods say by it that they call a reboot. It goes with the last. */
const isOfNamesake = (pod: CachedPod, op: NodeOp): boolean =>
  pod.metadata.labels?.[LABELS.nodeOp] === op.metadata.name && isAlive(pod) && !isCalled(pod) && !isOf(pod, op);

/** The binding goes with it where we may; where not, it is told, and a deletion that waits for the finalizer is not held up. */
async function dropFinalizer(
  op: NodeOp,
  { leftBehind }: Extract<Action, { do: 'dropFinalizer' }>,
  { kube, caches, recorder, former }: ActDeps,
): Promise<void> {
  const { name, namespace, finalizers = [] } = op.metadata;
  try {
    if (!former.rebootPods().some(pod => isOfNamesake(pod, op)))
      await kube.delete(CLUSTER_ROLE_BINDINGS, { name: bindingOf(name) });
  } catch (error) {
    if (isForbidden(error)) recorder.record(bindingLeft(op));
    else if (!isNotFound(error)) throw error;
  }
  const left = finalizers.filter(each => each !== LEGACY_FINALIZER);
  const patch = withResourceVersion({ metadata: { finalizers: left } }, op);
  const saved = await kube.patch<NodeOp>(NODE_OP, { name, namespace }, patch);
  if (leftBehind !== undefined) recorder.record(notEnded(op, leftBehind));
  if (left.length > 0 || op.metadata.deletionTimestamp === undefined) caches.nodeOps.put(saved);
}
