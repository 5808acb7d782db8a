/** Watches NodeOpUpgrades and reconciles one at a time: observe, decide, save the status, act. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { NodeOpUpgradeSpec } from '../../api/nodeop-upgrade.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Cache } from '../../kube/cache.js';
import { isForbidden, isInvalid } from '../../kube/errors.js';
import { keyOf, parseKey } from '../../kube/object-key.js';
import type { Kube, Name } from '../../kube/kube.js';
import { refreshObject, StalenessTracker } from '../../kube/live-read.js';
import { ownerNameOf } from '../../kube/owner.js';
import { mergeChange, mergeStatus } from '../../kube/patch.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import type { Recorder } from '../../kube/event-recorder.js';
import { PODS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import { namespaceRefusal } from '../cluster/allowed-namespaces.js';
import { ownedBy } from '../cluster/owner-index.js';
import type { CachedNode } from '../cluster/node.js';
import { withWholeSpec } from '../cluster/large-spec.js';
import { withObservedGeneration } from '../cluster/observed-generation.js';
import { isFinal } from '../cluster/phases.js';
import type { CachedPod } from '../cluster/pod.js';
import { withMark } from '../cluster/started-mark.js';
import { act } from './act.js';
import { decide, fail } from './decide.js';
import { refused } from './events.js';
import { type Action, type Facts, isCreation, type Plan } from './facts.js';
import { observe } from './observe.js';
import { Refusals } from './refusals.js';
import { restoredPlan, shouldMark } from './restored.js';

export interface UpgradeDeps {
  kube: Kube;
  upgrades: Cache<NodeOpUpgrade>;
  nodeOps: Cache<NodeOp>;
  nodes: Cache<CachedNode>;
  /** With an index `owner` (`owner-index.ts`). */
  pods: Cache<CachedPod>;
  recorder: Recorder;
  log: Log;
  clock: Clock;
  /** Namespaces in which upgrades may start; all when absent or empty. */
  allowedNamespaces?: readonly string[];
}

/** A missed change is not reported again, so every unfinished upgrade is reconciled at this interval. */
const RESYNC_MS = 60_000;

/** Runs while this replica leads. */
export async function upgradeController(deps: UpgradeDeps, leading: AbortSignal): Promise<void> {
  const { upgrades, nodeOps, pods, log, clock } = deps;
  const refusals = new Refusals();
  const staleness = new StalenessTracker(clock);
  const loop = reconciler({
    name: 'upgrade',
    reconcile: key => reconcileUpgrade(parseKey(key), { ...deps, refusals, staleness }),
    log,
    clock,
    workers: 3,
  });
  upgrades.onChange(({ old, new: now }) => {
    if (now) loop.enqueue(keyOf(now.metadata));
    else if (old) {
      refusals.forget(old.metadata);
      staleness.forget(old.metadata.uid);
    }
  });
  /* Found by name, not by owner: the deletion of a foreign NodeOp makes the name available. */
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

/** The dependencies, and what is remembered between reconciliations. */
export type ReconcileDeps = UpgradeDeps & { refusals: Refusals; staleness: StalenessTracker };

export async function reconcileUpgrade(at: Name, deps: ReconcileDeps): Promise<Outcome> {
  await refreshIfStale(deps.upgrades.get(at), deps);
  const upgrade = await withWholeSpec(deps.kube, NODE_OP_UPGRADE, deps.upgrades.get(at));
  if (upgrade === undefined) return { then: 'settled' };
  const restored = restoredPlan(upgrade, deps.clock.now());
  if (restored === undefined) return reconcileMarked(shouldMark(upgrade) ? await mark(upgrade, deps) : upgrade, deps);
  await saveStatus(upgrade, restored, deps);
  return { then: 'settled' };
}

/** Returns the object as it is stored then. A policy that strips annotations leaves it without the mark, which prevents nothing. */
async function mark(upgrade: NodeOpUpgrade, { kube, upgrades }: UpgradeDeps): Promise<NodeOpUpgrade> {
  const to = withMark(upgrade);
  const saved = await mergeChange(kube, NODE_OP_UPGRADE, upgrade, { to, onlyIfUnchanged: true });
  upgrades.put(saved);
  return saved;
}

async function reconcileMarked(upgrade: NodeOpUpgrade, deps: ReconcileDeps): Promise<Outcome> {
  const { metadata } = upgrade;
  const now = deps.clock.now();
  const spec = NodeOpUpgradeSpec.safeParse(upgrade.spec);
  if (!spec.success) {
    const faults = spec.error.issues.map(({ path, message }) => `spec.${path.join('.')}: ${message}`).join('; ');
    return reject(upgrade, fail({ upgrade, now }, 'InvalidSpec', faults), deps);
  }
  const refusal = namespaceRefusal(metadata.namespace, deps.allowedNamespaces);
  if (refusal !== undefined && upgrade.status?.nodeOpName === undefined)
    return reject(upgrade, fail({ upgrade, now }, 'NamespaceNotAllowed', refusal), deps);
  const facts = await observe(upgrade, spec.data, now, deps);
  const plan = decide(facts);
  const saved = await saveStatus(upgrade, plan, deps);
  const log = deps.log.child({ object: keyOf(metadata) });
  const isRefused = await performAll(facts, plan.actions, { ...deps, log });
  /* The next reconciliation writes the refusal into the status. */
  if (isRefused) return { then: 'requeue', afterMs: 0 };
  if (isFinal(saved.status) && plan.actions.length === 0) return { then: 'settled' };
  return { then: 'requeue', afterMs: plan.requeueAfterMs ?? RESYNC_MS };
}

/** Fails an upgrade that must not start, unless it is finished already. */
async function reject(upgrade: NodeOpUpgrade, failure: Plan, deps: ReconcileDeps): Promise<Outcome> {
  if (upgrade.metadata.deletionTimestamp !== undefined) return { then: 'settled' };
  if (!isFinal(upgrade.status)) await saveStatus(upgrade, failure, deps);
  else await saveStatus(upgrade, { events: [], actions: [], status: withObservedGeneration(upgrade) }, deps);
  return { then: 'settled' };
}

/** If an unfinished upgrade has not changed for a long time, everything that it depends on is read from the API server. */
async function refreshIfStale(upgrade: NodeOpUpgrade | undefined, deps: ReconcileDeps): Promise<void> {
  if (upgrade === undefined || isFinal(upgrade.status)) return;
  const { kube, pods, nodeOps, upgrades, staleness } = deps;
  const { uid, resourceVersion } = upgrade.metadata;
  if (!staleness.isStale(uid, resourceVersion)) return;
  for (const { metadata } of ownedBy(pods, upgrade)) await refreshObject(kube, PODS, pods, metadata);
  await refreshObject(kube, NODE_OP, nodeOps, upgrade.metadata);
  await refreshObject(kube, NODE_OP_UPGRADE, upgrades, upgrade.metadata);
}

/** True if a creation was refused. A quota or a policy of the namespace may refuse it for a long time, so the other actions are still performed. */
async function performAll(facts: Facts, actions: readonly Action[], deps: ReconcileDeps): Promise<boolean> {
  const { upgrade, now } = facts;
  let isRefused = false;
  for (const action of actions) {
    const refusal = await perform(facts, action, deps);
    if (refusal === undefined) continue;
    isRefused = true;
    deps.refusals.record(upgrade, refusal, now);
    deps.log.warn({ action: refusal.what, why: refusal.message }, 'refused by the API server');
  }
  if (!isRefused && actions.some(isCreation)) deps.refusals.forget(upgrade.metadata);
  return isRefused;
}

/** Returns the refusal of a creation. Any other error is thrown, and the reconciler backs off. */
async function perform(facts: Facts, action: Action, deps: ReconcileDeps) {
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

async function saveStatus(upgrade: NodeOpUpgrade, { status, events }: Plan, deps: UpgradeDeps): Promise<NodeOpUpgrade> {
  if (status === undefined) return upgrade;
  const saved = await mergeStatus(deps.kube, NODE_OP_UPGRADE, upgrade, { status });
  if (saved === upgrade) return upgrade;
  deps.upgrades.put(saved);
  for (const event of events) deps.recorder.record(event);
  return saved;
}
