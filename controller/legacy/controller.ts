/** Takes over what an earlier operator has begun, one operation at a time, and clears away what it leaves: observe, decide, act. */
import { LABELS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { keyOf, parseKey } from '../../kube/key.js';
import type { Kube } from '../../kube/kube.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import type { Recorder } from '../../kube/recorder.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import type { Caches } from '../cluster/informers.js';
import { isFinal } from '../cluster/phases.js';
import { isAlive, type CachedPod } from '../cluster/pod.js';
import { act, deletePod } from './act.js';
import { decide } from './decide.js';
import { type LegacyOperator, isOf } from './legacy-operator.js';
import { isWaiting } from './decide-node.js';
import { removeLeftovers } from './cleanup.js';
import { LEGACY_FINALIZER } from './names.js';
import { observe } from './observe.js';

export interface MigrationDeps {
  kube: Kube;
  caches: Caches;
  former: LegacyOperator;
  recorder: Recorder;
  log: Log;
  clock: Clock;
  ownNamespace: string;
}

/** No name of an object. */
const LEFTOVERS = '';

const RECHECK_MS = 2_000;
const AFTER_ACT_MS = 500;

/** Works while this replica leads; on a cluster that never had another operator it has nothing to do after a first look. */
export async function migrationController(deps: MigrationDeps, leading: AbortSignal): Promise<void> {
  const { caches, former, log, clock } = deps;
  const loop = reconciler({
    name: 'migration',
    reconcile: key => (key === LEFTOVERS ? leftovers(deps) : reconcile(key, deps)),
    log,
    clock,
    workers: 4,
  });
  caches.nodeOps.onChange(({ new: op }) => op && isConcerned(op, former) && loop.enqueue(keyOf(op.metadata)));
  caches.pods.onChange(({ old, new: now }) => {
    const pod = now ?? old;
    const name = pod?.metadata.labels?.[LABELS.reboot] && pod.metadata.labels[LABELS.nodeOp];
    if (name) loop.enqueue(keyOf({ name, namespace: pod.metadata.namespace }));
  });
  for (const op of caches.nodeOps.list()) if (isConcerned(op, former)) loop.enqueue(keyOf(op.metadata));
  loop.enqueue(LEFTOVERS);
  await loop.run(leading);
}

/** Is anything of it an earlier operator's? */
function isConcerned(op: NodeOp, former: LegacyOperator): boolean {
  const isFormers = isFinal(op.status) && op.status?.startedAt === undefined;
  const hasFinalizer = op.metadata.finalizers?.includes(LEGACY_FINALIZER) ?? false;
  return isFormers || hasFinalizer || former.holds(op) || former.rebootPodsOf(op).some(isAlive);
}

async function reconcile(key: string, deps: MigrationDeps): Promise<Outcome> {
  const { caches, former, clock, log } = deps;
  const op = caches.nodeOps.get(parseKey(key));
  if (op === undefined || !isConcerned(op, former)) return { then: 'settled' };
  const plan = decide(observe(op, { caches, former, now: clock.now() }));
  for (const action of plan.actions) await act(op, action, { ...deps });
  if (plan.waiting !== undefined) {
    log.info({ object: key, waiting: plan.waiting }, 'migration: waiting');
    return { then: 'requeue', afterMs: RECHECK_MS };
  }
  return plan.actions.length > 0 ? { then: 'requeue', afterMs: AFTER_ACT_MS } : { then: 'settled' };
}

async function leftovers(deps: MigrationDeps): Promise<Outcome> {
  const { former, caches } = deps;
  const pods = former.rebootPods();
  /* Their operations are gone, and nobody else would look at them. */
  const isOrphan = (pod: CachedPod) => !caches.nodeOps.list().some(op => isOf(pod, op));
  for (const pod of pods.filter(each => isWaiting(each) && isOrphan(each))) await deletePod(pod, deps);
  if (pods.some(pod => isWaiting(pod) || (isAlive(pod) && pod.metadata.deletionTimestamp !== undefined)))
    return { then: 'requeue', afterMs: RECHECK_MS };
  await removeLeftovers(deps);
  return { then: 'settled' };
}
