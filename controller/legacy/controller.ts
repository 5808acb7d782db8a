/** Migrates what the legacy operator has started, one NodeOp at a time, and removes what it leaves: observe, decide, act. */
import { NODE_OP } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { keyOf, parseKey } from '../../kube/object-key.js';
import type { Kube } from '../../kube/kube.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import type { Recorder } from '../../kube/event-recorder.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import { withWholeSpec } from '../cluster/large-spec.js';
import { isFinal } from '../cluster/phases.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import { act, deletePod } from './act.js';
import { cleanUpInstallation } from './cleanup.js';
import { decide } from './decide.js';
import type { OperationStatus, ParseNodeOp } from './facts.js';
import { belongsTo, type LegacyOperator } from './legacy-operator.js';
import { LEGACY_FINALIZER } from './names.js';
import { observe } from './observe.js';
import { isBeingDeleted, isWaitingToReboot } from './reboot-pod.js';

export interface LegacyDeps {
  kube: Kube;
  caches: Caches;
  legacy: LegacyOperator;
  /** These two belong to the NodeOp controller, whose folder is not imported here. */
  parseNodeOp: ParseNodeOp;
  operationStatus: OperationStatus;
  recorder: Recorder;
  log: Log;
  clock: Clock;
  ownNamespace: string;
}

/** Key of the clean-up in the queue; no object has an empty name. */
const CLEANUP_KEY = '';

const RECHECK_MS = 2_000;
const AFTER_ACT_MS = 500;

/** Runs while this replica leads. In a cluster that never had the legacy operator, it does nothing after the first check. */
export async function legacyController(deps: LegacyDeps, leading: AbortSignal): Promise<void> {
  const { caches, legacy, log, clock } = deps;
  const loop = reconciler({
    name: 'legacy',
    reconcile: key => (key === CLEANUP_KEY ? cleanUp(deps) : reconcile(key, deps)),
    log,
    clock,
    workers: 5,
  });
  caches.nodeOps.onChange(({ new: op }) => op && hasLegacyState(op, legacy) && loop.enqueue(keyOf(op.metadata)));
  caches.pods.onChange(({ old, new: now }) => {
    const pod = now ?? old;
    const name = pod?.metadata.labels?.[LABELS.reboot] && pod.metadata.labels[LABELS.nodeOp];
    if (name) loop.enqueue(keyOf({ name, namespace: pod.metadata.namespace }));
  });
  for (const op of caches.nodeOps.list()) if (hasLegacyState(op, legacy)) loop.enqueue(keyOf(op.metadata));
  loop.enqueue(CLEANUP_KEY);
  await loop.run(leading);
}

/** Something of the legacy operator is left on the object or its nodes. */
function hasLegacyState(op: NodeOp, legacy: LegacyOperator): boolean {
  const hasLegacyStatus = isFinal(op.status) && op.status?.startedAt === undefined;
  const hasFinalizer = op.metadata.finalizers?.includes(LEGACY_FINALIZER) ?? false;
  return hasLegacyStatus || hasFinalizer || legacy.owns(op) || legacy.rebootPodsOf(op).some(isAlive);
}

async function reconcile(key: string, deps: LegacyDeps): Promise<Outcome> {
  const { caches, legacy, parseNodeOp, operationStatus, clock, log } = deps;
  const op = await withWholeSpec(deps.kube, NODE_OP, caches.nodeOps.get(parseKey(key)));
  if (op === undefined || !hasLegacyState(op, legacy)) return { then: 'settled' };
  const plan = decide(observe(op, { caches, legacy, parseNodeOp, now: clock.now() }), operationStatus);
  for (const action of plan.actions) await act(op, action, deps);
  if (plan.waiting !== undefined) {
    log.info({ object: key, waiting: plan.waiting }, 'the migration from the Go operator waits');
    return { then: 'requeue', afterMs: RECHECK_MS };
  }
  return plan.actions.length > 0 ? { then: 'requeue', afterMs: AFTER_ACT_MS } : { then: 'settled' };
}

async function cleanUp(deps: LegacyDeps): Promise<Outcome> {
  const { legacy, caches, clock } = deps;
  const pods = legacy.rebootPods();
  const now = clock.now();
  /* Their NodeOp is deleted, so no reconciliation of a NodeOp reaches them. */
  const isOrphan = (pod: CachedPod) => !caches.nodeOps.list().some(op => belongsTo(pod, op));
  for (const pod of pods.filter(each => isWaitingToReboot(each) && isOrphan(each))) await deletePod(pod, deps);
  if (pods.some(pod => isWaitingToReboot(pod) || isBeingDeleted(pod, now)))
    return { then: 'requeue', afterMs: RECHECK_MS };
  await cleanUpInstallation(deps);
  return { then: 'settled' };
}
