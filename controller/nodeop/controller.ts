/** The loop over NodeOps. One pass gathers facts, plans, applies the plan and schedules the next pass. */
import { NODE_OP } from '../../api/kinds.js';
import type { NodeOp } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import { keyOf, parseKey } from '../../kube/object-key.js';
import type { Name } from '../../kube/kube.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import type { Clock } from '../../program/clock.js';
import { namespaceRefusal } from '../cluster/allowed-namespaces.js';
import { withWholeSpec } from '../cluster/large-spec.js';
import { withObservedGeneration } from '../cluster/observed-generation.js';
import { isFinal } from '../cluster/phases.js';
import { isMarked, isRestored, needsMark } from '../cluster/started-mark.js';
import { rolloutOrder } from '../cluster/targets.js';
import type { ActDeps } from './act/act.js';
import { ControlPlaneLease } from './act/control-plane-lease.js';
import * as events from './act/events.js';
import { Evictions } from './act/evictions.js';
import { setClaimFinalizer } from './act/finalizer.js';
import { performAll } from './act/perform-plan.js';
import { markStarted } from './act/started-mark.js';
import { type StatusWrite, StatusWriter } from './act/status-writer.js';
import { decide, type Plan } from './decide.js';
import type { Facts } from './facts/facts.js';
import { observe, gatherSharedFacts } from './facts/observe.js';
import { olderOperations } from './facts/operation-order.js';
import { isUntouched, parseNodeOp, type ParsedNodeOp } from './facts/parsed-nodeop.js';
import { claimsNodes, nextPass } from './requeue.js';
import { AdmissionRehearsal } from './reads/admission-rehearsal.js';
import { CreatedPods } from './reads/created-pods.js';
import { LiveReads } from './reads/live-reads.js';
import { hasLostUpgrade } from './reads/lost-upgrade.js';
import { RefusedWrites } from './reads/refused-writes.js';
import { initialStatus } from './status/initial-status.js';
import { isRetried, retryStatus } from './status/retry-status.js';
import { rejectedStatus } from './status/rejected-status.js';
import { restoredStatus } from './status/restored-status.js';
import { lacksPod } from './steps/job-progress.js';
import { enqueueOnChanges, enqueueOnRoom } from './watch-triggers.js';

/** Operations of the legacy operator that are not adopted yet. */
export interface LegacyClaims {
  /** Whether the legacy operator started this operation and nothing of it is adopted yet. */
  owns(op: NodeOp): boolean;
  /** Nodes that it may still disturb, each with namespace and name of the operation. */
  claimedNodes(now: Date): ReadonlyMap<string, string>;
}

export interface NodeOpDeps extends Pick<ActDeps, 'kube' | 'caches' | 'recorder' | 'log' | 'sentinel'> {
  clock: Clock;
  /** Image of a NodeOp that names none. */
  defaultImage: string;
  ownNamespace: string;
  /** Namespaces in which operations may start; all when absent or empty. */
  allowedNamespaces?: readonly string[];
  /** Node that this controller runs on; it comes last in its class. */
  ownNode?: string;
  /** Absent where no legacy operator was installed. */
  legacy?: LegacyClaims;
}

interface Applied {
  errors: readonly unknown[];
  statusWrite: StatusWrite;
}

export class NodeOpController {
  readonly #deps: NodeOpDeps;
  readonly #actDeps: ActDeps;
  readonly #evictions: Evictions;
  readonly #rehearsal: AdmissionRehearsal;
  readonly #liveReads: LiveReads;
  readonly #createdPods = new CreatedPods();
  readonly #refusedWrites = new RefusedWrites();
  readonly #statusWriter: StatusWriter;

  constructor(deps: NodeOpDeps) {
    this.#deps = deps;
    this.#evictions = new Evictions(deps.clock);
    this.#rehearsal = new AdmissionRehearsal(deps);
    this.#liveReads = new LiveReads(deps);
    this.#statusWriter = new StatusWriter(deps);
    const controlPlane = new ControlPlaneLease(deps);
    const [evictions, liveReads, createdPods] = [this.#evictions, this.#liveReads, this.#createdPods];
    this.#actDeps = { ...deps, controlPlane, evictions, liveReads, createdPods };
  }

  async run(leading: AbortSignal): Promise<void> {
    const { log, clock, caches } = this.#deps;
    const reconcile = (key: string) => this.reconcile(parseKey(key));
    const loop = reconciler({ name: 'nodeop', reconcile, log, clock, workers: 5 });
    caches.pods.onChange(({ old, new: now }) => {
      if (old && now === undefined) this.#evictions.forget(old.metadata.uid);
    });
    const enqueue = (key: string, afterMs?: number) => loop.enqueue(key, afterMs);
    enqueueOnChanges(caches, enqueue);
    enqueueOnRoom(caches, enqueue, namespace => this.#rehearsal.retrySoon(namespace));
    await loop.run(leading);
  }

  /** One pass over one NodeOp. */
  async reconcile(at: Name): Promise<Outcome> {
    const { kube, caches, legacy } = this.#deps;
    const op = await withWholeSpec(kube, NODE_OP, caches.nodeOps.get(at));
    if (op === undefined || legacy?.owns(op)) return { then: 'settled' };
    if (await this.#isRestored(op)) return this.#restore(op);
    return this.#reconcileMarked(needsMark(op) ? await markStarted(op, this.#deps) : op);
  }

  async #reconcileMarked(op: NodeOp): Promise<Outcome> {
    const { allowedNamespaces } = this.#deps;
    const parsed = parseNodeOp(op);
    if (parsed.fault !== undefined) return this.#reject(op, parsed.fault, 'InvalidSpec');
    const { nodeOp } = parsed;
    const isNew = nodeOp.status.startedAt === undefined && !isFinal(nodeOp.status);
    const refusal = namespaceRefusal(nodeOp.namespace, allowedNamespaces);
    if (refusal !== undefined && (isNew || isRetried(nodeOp)) && !this.#hasClaims(op))
      return this.#reject(op, refusal, 'NamespaceNotAllowed');
    if (isNew) return this.#start(op, nodeOp);
    if (!isFinal(nodeOp.status) || this.#hasClaims(op)) return this.#advance(op, nodeOp);
    return isRetried(nodeOp) ? this.#retry(op, nodeOp) : this.#finish(op);
  }

  async #advance(op: NodeOp, nodeOp: ParsedNodeOp): Promise<Outcome> {
    const now = this.#deps.clock.now();
    const plan = decide(nodeOp, await this.#gather(nodeOp, now), now);
    const applied = await this.#apply(op, plan);
    if (plan.actions.length === 0) await this.#dropUnusedFinalizer(op, plan);
    return nextPass(plan, applied, now);
  }

  async #gather(nodeOp: ParsedNodeOp, now: Date): Promise<Facts[]> {
    const { caches, recorder, defaultImage, ownNamespace, ownNode, legacy, allowedNamespaces } = this.#deps;
    const names = rolloutOrder(
      Object.keys(nodeOp.status.nodeStatuses ?? {}),
      name => caches.nodes.get({ name }),
      ownNode,
    );
    const nextNode = names.find(name => isUntouched(nodeOp, name));
    const podRefusal = await this.#rehearsal.refusal(nodeOp, nextNode);
    if (podRefusal?.is === 'refused') recorder.record(events.podRefused(nodeOp, podRefusal.message));
    const view = gatherSharedFacts({
      caches,
      evictions: this.#evictions,
      podRefusal,
      olderOperations: olderOperations(nodeOp.meta, names, { caches, allowedNamespaces }),
      refusedWrites: this.#refusedWrites.of(nodeOp.meta.uid),
      createdPods: this.#createdPods.of(nodeOp.meta.uid),
      nodesHeldByLegacy: legacy?.claimedNodes(now),
      defaultImage,
      sentinelImage: this.#deps.sentinel.image,
      ownNamespace,
      now,
    });
    const facts = names.map(name => observe(nodeOp, name, view));
    await this.#liveReads.refreshStale(nodeOp, facts);
    return this.#withPodRefusal(facts);
  }

  async #withPodRefusal(all: readonly Facts[]): Promise<Facts[]> {
    const first = all.find(lacksPod);
    if (first === undefined) return [...all];
    const podRefusal = await this.#rehearsal.refusalOfPod(first);
    return all.map(facts => (lacksPod(facts) ? { ...facts, podRefusal } : facts));
  }

  /** The finalizer first, so that no node is claimed by an object that can be deleted without being noticed. */
  async #apply(op: NodeOp, plan: Plan): Promise<Applied> {
    const needsFinalizer = claimsNodes(plan) || this.#hasClaims(op);
    const current = needsFinalizer ? await setClaimFinalizer(op, true, this.#deps) : op;
    const deps = { ...this.#actDeps, liveReads: this.#liveReads, refusedWrites: this.#refusedWrites };
    const errors = await performAll(plan.actions, deps);
    return { errors, statusWrite: await this.#statusWriter.writeSoon(current, plan.status) };
  }

  /** While no node is claimed, the object must be deletable even if no controller runs. */
  async #dropUnusedFinalizer({ metadata }: NodeOp, { status }: Plan): Promise<void> {
    const op = this.#deps.caches.nodeOps.get(metadata);
    if (op === undefined || this.#hasClaims(op) || status.nodes?.active !== 0 || isFinal(status)) return;
    await setClaimFinalizer(op, false, this.#deps);
  }

  #hasClaims({ metadata }: NodeOp): boolean {
    return this.#deps.caches.nodeAgents.byIndex('operation', metadata.uid).length > 0;
  }

  /** An object that has claimed nodes is the one that was started, whatever its annotation says. */
  async #isRestored(op: NodeOp): Promise<boolean> {
    if (this.#hasClaims(op)) return false;
    if (isRestored(op)) return true;
    return needsMark(op) && op.status?.phase === undefined && (await hasLostUpgrade(op, this.#deps));
  }

  /** Ends the operation without running it. One that had finished stays as it was. The next pass follows from the change. */
  async #restore(op: NodeOp): Promise<Outcome> {
    if (op.metadata.deletionTimestamp !== undefined) return this.#finish(op);
    const { clock, recorder, log } = this.#deps;
    const status = restoredStatus(op, clock.now());
    await this.#statusWriter.write(op, status);
    if (!isFinal(op.status)) {
      log.warn({ object: keyOf(op.metadata) }, 'operation not started: it was restored from a backup or copied');
      recorder.record(events.restored(op, status.message ?? ''));
    }
    return { then: 'settled' };
  }

  /** Records the targets in the status before any of them is touched. */
  async #start(op: NodeOp, nodeOp: ParsedNodeOp): Promise<Outcome> {
    const { caches, clock } = this.#deps;
    const claimed = caches.nodeAgents.byIndex('operation', nodeOp.meta.uid);
    if (nodeOp.isDeleting && claimed.length === 0) return this.#finish(op);
    await this.#statusWriter.write(
      op,
      initialStatus(nodeOp, { nodes: caches.nodes.list(), claimed, now: clock.now() }),
    );
    return { then: 'requeue', afterMs: 0 };
  }

  async #retry(op: NodeOp, nodeOp: ParsedNodeOp): Promise<Outcome> {
    const { caches, clock, recorder } = this.#deps;
    const status = retryStatus(nodeOp, caches.nodes.list(), clock.now());
    await this.#statusWriter.write(isMarked(op) ? op : await markStarted(op, this.#deps), status);
    recorder.record(events.retried(nodeOp, status));
    return { then: 'requeue', afterMs: 0 };
  }

  /**
   * An invalid object exists when no webhook validated it or an older schema accepted it. It is not started, and stays deletable.
   * A deleted object gives up its finalizer even with claims: NodeAgents whose operation is absent are cleaned up from their ledgers.
   */
  async #reject(op: NodeOp, fault: string, reason: Reason): Promise<Outcome> {
    const { clock, log } = this.#deps;
    log.warn({ object: keyOf(op.metadata), fault }, 'operation not started');
    const hasClaims = this.#hasClaims(op);
    if (op.metadata.deletionTimestamp !== undefined || (isFinal(op.status) && !hasClaims)) return this.#finish(op);
    await this.#statusWriter.write(op, rejectedStatus(op, { fault, reason, hasClaims, now: clock.now() }));
    return { then: 'giveUp', why: fault };
  }

  async #finish(op: NodeOp): Promise<Outcome> {
    const status = op.metadata.deletionTimestamp === undefined ? withObservedGeneration(op) : undefined;
    if (status !== undefined) {
      await this.#statusWriter.write(op, status);
      return { then: 'requeue', afterMs: 0 };
    }
    await setClaimFinalizer(op, false, this.#deps);
    this.#statusWriter.forget(op);
    this.#refusedWrites.forget(op.metadata.uid);
    this.#createdPods.forget(op.metadata.uid);
    this.#rehearsal.forget(op.metadata.uid);
    this.#liveReads.forget(op.metadata.uid);
    return { then: 'settled' };
  }
}
