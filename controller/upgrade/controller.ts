/** What is watched for NodeOpUpgrades, and the loop over one of them: observe, decide, report, act. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isForbidden, isInvalid } from '../../kube/errors.js';
import { keyOf, parseKey } from '../../kube/key.js';
import type { Kube, Name } from '../../kube/kube.js';
import { refreshObject, StalenessTracker } from '../../kube/live-read.js';
import { ownerNameOf } from '../../kube/owner.js';
import { mergeStatus } from '../../kube/patch.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import type { Recorder } from '../../kube/recorder.js';
import { PODS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import { namespaceRefusal } from '../cluster/allowed-namespaces.js';
import { isFinal } from '../cluster/phases.js';
import type { CachedNode } from '../cluster/node.js';
import type { CachedPod } from '../cluster/pod.js';
import { act } from './act.js';
import { decide, fail } from './decide.js';
import { refused } from './events.js';
import { type Action, type Facts, isCreation, type Plan } from './facts.js';
import { observe } from './observe.js';
import { Refusals } from './refusals.js';

export interface UpgradeDeps {
  kube: Kube;
  upgrades: Cache<NodeOpUpgrade>;
  nodeOps: Cache<NodeOp>;
  nodes: Cache<CachedNode>;
  /** With an index `owner`: uids of a Pod's owners. */
  pods: Cache<CachedPod>;
  recorder: Recorder;
  log: Log;
  clock: Clock;
  /** Where upgrades are begun; everywhere when absent or empty. */
  allowedNamespaces?: readonly string[];
}

/** Nothing is heard of a broken promise: look at every open upgrade now and then. */
const RESYNC_MS = 60_000;

/** Works while this replica leads. */
export async function upgradeController(deps: UpgradeDeps, leading: AbortSignal): Promise<void> {
  const { upgrades, nodeOps, pods, log, clock } = deps;
  const refusals = new Refusals();
  const staleness = new StalenessTracker(clock);
  const loop = reconciler({
    name: 'upgrade',
    reconcile: key => reconcileUpgrade(parseKey(key), { ...deps, refusals, staleness }),
    log,
    clock,
    workers: 2,
  });
  upgrades.onChange(({ old, new: now }) => {
    if (now) loop.enqueue(keyOf(now.metadata));
    else if (old) {
      refusals.forget(old.metadata);
      staleness.forget(old.metadata.uid);
    }
  });
  /* By name, not by owner: a NodeOp of somebody else that goes sets the name free. */
  nodeOps.onChange(({ old, new: now }) => {
    const at = (now ?? old)?.metadata;
    if (at && upgrades.get(at)) loop.enqueue(keyOf(at));
  });
  pods.onChange(({ old, new: now }) => {
    const pod = now ?? old;
    const owner = pod && ownerNameOf(NODE_OP_UPGRADE, pod);
    if (owner) loop.enqueue(keyOf(owner));
  });
  for (const upgrade of upgrades.list()) loop.enqueue(keyOf(upgrade.metadata));
  await loop.run(leading);
}

/** What is there, and what is remembered of it. */
export type PassDeps = UpgradeDeps & { refusals: Refusals; staleness: StalenessTracker };

/** One pass over one NodeOpUpgrade. */
export async function reconcileUpgrade(at: Name, deps: PassDeps): Promise<Outcome> {
  await lookTwice(deps.upgrades.get(at), deps);
  const upgrade = deps.upgrades.get(at);
  if (upgrade === undefined) return { then: 'settled' };
  const now = deps.clock.now();
  const spec = NodeOpUpgradeSpec.safeParse(upgrade.spec);
  if (!spec.success) {
    if (isFinal(upgrade.status) || upgrade.metadata.deletionTimestamp !== undefined) return { then: 'settled' };
    const faults = spec.error.issues.map(({ path, message }) => `spec.${path.join('.')}: ${message}`).join('; ');
    await report(upgrade, fail({ upgrade, now }, 'InvalidSpec', faults), deps);
    return { then: 'settled' };
  }
  const elsewhere = namespaceRefusal(at.namespace, deps.allowedNamespaces);
  if (elsewhere !== undefined && upgrade.status?.nodeOpName === undefined) {
    if (isFinal(upgrade.status) || upgrade.metadata.deletionTimestamp !== undefined) return { then: 'settled' };
    await report(upgrade, fail({ upgrade, now }, 'NamespaceNotAllowed', elsewhere), deps);
    return { then: 'settled' };
  }
  const facts = await observe(upgrade, spec.data, now, deps);
  const plan = decide(facts);
  const reported = await report(upgrade, plan, deps);
  const log = deps.log.child({ object: keyOf(upgrade.metadata) });
  const isRefused = await actAll(facts, plan.actions, { ...deps, log });
  /* The next pass writes it into the status. */
  if (isRefused) return { then: 'requeue', afterMs: 0 };
  if (isFinal(reported.status) && plan.actions.length === 0) return { then: 'settled' };
  return { then: 'requeue', afterMs: plan.requeueAfterMs ?? RESYNC_MS };
}

/** Of an upgrade that goes on and of which nothing is heard, everything that is waited for is read. */
async function lookTwice(upgrade: NodeOpUpgrade | undefined, deps: PassDeps): Promise<void> {
  if (upgrade === undefined || isFinal(upgrade.status)) return;
  const { kube, pods, nodeOps, upgrades, staleness } = deps;
  const { uid, resourceVersion } = upgrade.metadata;
  if (!staleness.isStale(uid, resourceVersion)) return;
  for (const { metadata } of pods.byIndex('owner', uid)) await refreshObject(kube, PODS, pods, metadata);
  await refreshObject(kube, NODE_OP, nodeOps, upgrade.metadata);
  await refreshObject(kube, NODE_OP_UPGRADE, upgrades, upgrade.metadata);
}

/** True if something may not be made now: that may last (a quota, a policy of the namespace), and keeps nothing else from being done. */
async function actAll(facts: Facts, actions: readonly Action[], deps: PassDeps): Promise<boolean> {
  const { upgrade, now } = facts;
  let isRefused = false;
  for (const action of actions) {
    const why = await actOrHear(facts, action, deps);
    if (why === undefined) continue;
    isRefused = true;
    deps.refusals.note(upgrade, why, now);
    deps.log.warn({ action: why.what, why: why.message }, 'refused');
  }
  if (!isRefused && actions.some(isCreation)) deps.refusals.forget(upgrade.metadata);
  return isRefused;
}

/** The server's words where it refuses to make something. Anything else it refuses is left to the loop's own back-off. */
async function actOrHear(facts: Facts, action: Action, deps: PassDeps) {
  try {
    await act(facts, action, deps);
    return undefined;
  } catch (error) {
    if (!isForbidden(error) && !isInvalid(error)) throw error;
    deps.recorder.record(refused(facts.upgrade, action.do, error.message));
    if (!isCreation(action)) throw error;
    return { what: action.do, message: error.message };
  }
}

async function report(upgrade: NodeOpUpgrade, { status, events }: Plan, deps: UpgradeDeps): Promise<NodeOpUpgrade> {
  if (status === undefined) return upgrade;
  const saved = await mergeStatus(deps.kube, NODE_OP_UPGRADE, upgrade, { status });
  if (saved === upgrade) return upgrade;
  deps.upgrades.put(saved);
  for (const event of events) deps.recorder.record(event);
  return saved;
}
