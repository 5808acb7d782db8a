/** What is watched for NodeOps, and the loop over one of them: observe, decide, act, report. */
import { NODE_OP } from '../../api/kinds.js';
import { FINALIZERS } from '../../api/names.js';
import type { Reason } from '../../api/reasons.js';
import type { NodeOp } from '../../api/objects.js';
import { isConflict, isRefusal } from '../../kube/errors.js';
import { type Outcome, reconciler } from '../../kube/reconciler.js';
import { keyOf, parseKey } from '../../kube/key.js';
import type { Kube, Name } from '../../kube/kube.js';
import { isSameJson } from '../../kube/merge-patch.js';
import { mergeStatus, withResourceVersion } from '../../kube/patch.js';
import type { Recorder } from '../../kube/recorder.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import { namespaceRefusal } from '../cluster/allowed-namespaces.js';
import type { Caches } from '../cluster/informers.js';
import { conditions } from '../cluster/conditions.js';
import type { LegacyOperator } from '../legacy/legacy-operator.js';
import { act, type ActDeps } from './act/act.js';
import { ControlPlaneLease } from './act/control-plane-lease.js';
import { decide, type Plan } from './decide.js';
import * as events from './act/events.js';
import { Evictions } from './act/evictions.js';
import type { JobSettings } from './facts/manifests.js';
import { observe, viewOf } from './facts/observe.js';
import { NO_ANSWER, AdmissionRehearsal } from './reads/admission-rehearsal.js';
import { LiveReads } from './reads/live-reads.js';
import { isRetried, initialStatus, retryStatus } from './status/initial-status.js';
import { inOrder } from '../cluster/targets.js';
import { RefusedWrites } from './reads/refused-writes.js';
import { enqueueOnChanges } from './triggers.js';
import { isFinal } from '../cluster/phases.js';
import { isUntouched, parseNodeOp, type ParsedNodeOp } from './facts/parsed-nodeop.js';

export interface NodeOpDeps {
  kube: Kube;
  caches: Caches;
  recorder: Recorder;
  log: Log;
  clock: Clock;
  defaultImage: string;
  sentinel: JobSettings['sentinel'];
  ownNamespace: string;
  /** Where operations are begun; everywhere when absent or empty. */
  allowedNamespaces?: readonly string[];
  /** Node that this controller runs on. */
  ownNode?: string;
  /** What an earlier operator has begun and nobody has taken over yet. */
  former?: Pick<LegacyOperator, 'holds' | 'nodes'>;
}

/** A change of the report waits this long for others to join it, unless the phase of the operation changes. */
const STATUS_PAUSE_MS = 1_000;

/** Writes under way at once over all nodes of an operation. */
const MAX_PARALLEL_WRITES = 16;

/** A deletion is not seen until the watch tells of it; asking again at once would only repeat it. */
const DELETION_MS = 200;

const claims = ({ actions }: Plan) => actions.some(({ action }) => action.do === 'claim');
const isDeletion = ({ action }: Plan['actions'][number]) => action.do === 'deletePods' || action.do === 'deleteJob';

/** Nothing is heard of a broken promise: look at every open operation now and then. */
const RESYNC_MS = 60_000;

export class NodeOpController {
  readonly #deps: NodeOpDeps;
  readonly #actDeps: ActDeps;
  /** Since when the report of an operation is behind. */
  readonly #changedAt = new Map<string, number>();
  readonly #refusedWrites = new RefusedWrites();
  readonly #rehearsal: AdmissionRehearsal;
  readonly #liveReads: LiveReads;

  constructor(deps: NodeOpDeps) {
    this.#deps = deps;
    const controlPlane = new ControlPlaneLease(deps);
    this.#rehearsal = new AdmissionRehearsal(deps);
    this.#liveReads = new LiveReads(deps);
    this.#actDeps = {
      ...deps,
      controlPlane,
      liveReads: this.#liveReads,
      evictions: new Evictions(() => deps.clock.now()),
    };
  }

  async run(leading: AbortSignal): Promise<void> {
    const { log, clock, caches } = this.#deps;
    const loop = reconciler({
      name: 'nodeop',
      reconcile: key => this.reconcile(parseKey(key)),
      log,
      clock,
      workers: 4,
    });
    caches.pods.onChange(({ old, new: now }) => {
      if (old && now === undefined) this.#actDeps.evictions.forget(old.metadata.uid);
    });
    enqueueOnChanges(caches, (key, afterMs) => loop.enqueue(key, afterMs));
    await loop.run(leading);
  }

  /** One pass over one NodeOp. */
  async reconcile(at: Name): Promise<Outcome> {
    const { caches } = this.#deps;
    const op = caches.nodeOps.get(at);
    if (op === undefined) return { then: 'settled' };
    if (this.#deps.former?.holds(op)) return { then: 'settled' };
    const read = parseNodeOp(op);
    if (read.fault !== undefined) return this.#invalid(op, read.fault);
    const { nodeOp } = read;
    const elsewhere = namespaceRefusal(nodeOp.namespace, this.#deps.allowedNamespaces);
    const begins = (nodeOp.status.startedAt === undefined && !isFinal(nodeOp.status)) || isRetried(nodeOp);
    if (elsewhere !== undefined && begins && !this.#isHeld(nodeOp))
      return this.#invalid(op, elsewhere, 'NamespaceNotAllowed');
    if (nodeOp.status.startedAt === undefined && !isFinal(nodeOp.status)) return this.#begin(op, nodeOp);
    if (!isFinal(nodeOp.status) || this.#isHeld(nodeOp)) return this.#goOn(op, nodeOp);
    return isRetried(nodeOp) ? this.#beginAgain(op, nodeOp) : this.#letGo(op);
  }

  async #goOn(op: NodeOp, nodeOp: ParsedNodeOp): Promise<Outcome> {
    const { caches, clock, recorder, defaultImage, ownNamespace, ownNode, former } = this.#deps;
    const now = clock.now();
    const names = inOrder(Object.keys(nodeOp.status.nodeStatuses ?? {}), name => caches.nodes.get({ name }), ownNode);
    const refusedWrites = this.#refusedWrites.of(nodeOp.meta.uid);
    const { evictions } = this.#actDeps;
    const refusedPod = await this.#rehearsal.refusal(
      nodeOp,
      names.find(name => isUntouched(nodeOp, name)),
    );
    if (refusedPod !== undefined && !refusedPod.startsWith(NO_ANSWER))
      recorder.record(events.podRefused(nodeOp, refusedPod));
    const view = viewOf({
      caches,
      evictions,
      refusedPod,
      refusedWrites,
      defaultImage,
      ownNamespace,
      now,
      nodesHeldByLegacy: former?.nodes(),
    });
    const facts = names.map(name => observe(nodeOp, name, view));
    await this.#liveReads.refreshStale(nodeOp, facts);
    const plan = decide(nodeOp, facts, now);
    const kept = claims(plan) || this.#isHeld(nodeOp) ? await this.#finalizer(op, true) : op;
    const errors = await this.#perform(plan);
    const savedIn = await this.#save(kept, plan);
    if (errors.length === 0 && plan.actions.length > 0)
      return { then: 'requeue', afterMs: plan.actions.every(isDeletion) ? DELETION_MS : 0 };
    const deadline = plan.requeueAt === undefined ? RESYNC_MS : Math.max(plan.requeueAt.getTime() - now.getTime(), 50);
    const afterMs = Math.min(deadline, savedIn ?? RESYNC_MS, RESYNC_MS);
    if (errors.length > 0) return { then: 'failed', error: errors[0], afterMs };
    await this.#holdNothing(nodeOp, plan);
    return { then: 'requeue', afterMs };
  }

  #isHeld({ meta }: ParsedNodeOp): boolean {
    return this.#deps.caches.nodeAgents.byIndex('operation', meta.uid).length > 0;
  }

  /** While no node is claimed, the object may be deleted whether a controller runs or not. */
  async #holdNothing(nodeOp: ParsedNodeOp, { status }: Plan): Promise<void> {
    const op = this.#deps.caches.nodeOps.get(nodeOp.meta);
    if (op && !this.#isHeld(nodeOp) && status.nodes?.active === 0 && !isFinal(status)) await this.#finalizer(op, false);
  }

  /** One node's trouble keeps neither the others nor the report waiting. */
  async #perform({ actions }: Plan): Promise<unknown[]> {
    const errors: unknown[] = [];
    const queue = [...actions];
    const work = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { facts, action } = next;
        try {
          await act(facts, action, this.#actDeps);
          this.#refusedWrites.clear(facts.nodeOp.meta.uid, facts.name);
        } catch (error) {
          errors.push(error);
          if (isConflict(error)) await this.#liveReads.refreshAfterConflict(facts);
          if (isRefusal(error) || (isConflict(error) && action.do === 'takeControlPlane'))
            this.#refusedWrites.record(facts.nodeOp.meta.uid, facts.name, error.message);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL_WRITES, actions.length) }, work));
    return errors;
  }

  /** Saves the report; answers how long it still gathers changes. */
  async #save(op: NodeOp, { status }: Plan): Promise<number | undefined> {
    const { kube, caches, clock } = this.#deps;
    const key = keyOf(op.metadata);
    if (isSameJson(status, op.status)) {
      this.#changedAt.delete(key);
      return undefined;
    }
    const since = this.#changedAt.get(key) ?? clock.monotonic();
    this.#changedAt.set(key, since);
    const wait = since + STATUS_PAUSE_MS - clock.monotonic();
    if (wait > 0 && status.phase === op.status?.phase) return wait;
    caches.nodeOps.put(await mergeStatus(kube, NODE_OP, op, { status }));
    this.#changedAt.delete(key);
    return 0;
  }

  /** Targets are fixed in the status before any of them is touched. */
  async #begin(op: NodeOp, nodeOp: ParsedNodeOp): Promise<Outcome> {
    const { kube, caches, clock } = this.#deps;
    const claimed = caches.nodeAgents.byIndex('operation', nodeOp.meta.uid);
    if (nodeOp.deleting && claimed.length === 0) return this.#letGo(op);
    const status = initialStatus(nodeOp, { nodes: caches.nodes.list(), claimed, now: clock.now() });
    caches.nodeOps.put(await mergeStatus(kube, NODE_OP, op, { status, onlyIfUnchanged: true }));
    return { then: 'requeue', afterMs: 0 };
  }

  async #beginAgain(op: NodeOp, nodeOp: ParsedNodeOp): Promise<Outcome> {
    const { kube, caches, clock, recorder } = this.#deps;
    const status = retryStatus(nodeOp, caches.nodes.list(), clock.now());
    caches.nodeOps.put(await mergeStatus(kube, NODE_OP, op, { status, onlyIfUnchanged: true }));
    recorder.record(events.retried(nodeOp, status));
    return { then: 'requeue', afterMs: 0 };
  }

  /** Made when no webhook and an older schema let it pass, or where nothing is obeyed. Nothing was begun; it is said, and it can be deleted. */
  async #invalid(op: NodeOp, fault: string, reason: Reason = 'InvalidSpec'): Promise<Outcome> {
    const { kube, caches, clock, log } = this.#deps;
    log.warn({ object: keyOf(op.metadata), fault }, 'not begun');
    /* Once the object is gone, its claims are undone from their ledgers alone. */
    if (op.metadata.deletionTimestamp !== undefined) return this.#letGo(op);
    const claimed = caches.nodeAgents.byIndex('operation', op.metadata.uid).length > 0;
    if (isFinal(op.status) && !claimed) return this.#letGo(op);
    const phase = claimed ? (op.status?.phase ?? ('Running' as const)) : ('Failed' as const);
    const told = { phase, message: claimed ? `${fault}; delete the object to free its nodes` : fault };
    const seen = { meta: op.metadata, status: op.status ?? {} };
    const status = {
      ...op.status,
      ...told,
      conditions: conditions(seen, { ...told, reason, now: clock.now() }),
    };
    caches.nodeOps.put(await mergeStatus(kube, NODE_OP, op, { status }));
    return { then: 'giveUp', why: fault };
  }

  async #letGo(op: NodeOp): Promise<Outcome> {
    await this.#finalizer(op, false);
    this.#changedAt.delete(keyOf(op.metadata));
    this.#refusedWrites.forget(op.metadata.uid);
    this.#rehearsal.forget(op.metadata.uid);
    this.#liveReads.forget(op.metadata.uid);
    return { then: 'settled' };
  }

  async #finalizer(op: NodeOp, wanted: boolean): Promise<NodeOp> {
    const held = op.metadata.finalizers ?? [];
    if (held.includes(FINALIZERS.claimed) === wanted) return op;
    /* To an object that is being deleted none may be added. */
    if (wanted && op.metadata.deletionTimestamp !== undefined) return op;
    const finalizers = wanted ? [...held, FINALIZERS.claimed] : held.filter(each => each !== FINALIZERS.claimed);
    const patch = withResourceVersion({ metadata: { finalizers } }, op);
    const saved = await this.#deps.kube.patch<NodeOp>(
      NODE_OP,
      { name: op.metadata.name, namespace: op.metadata.namespace },
      patch,
    );
    if (wanted || finalizers.length > 0 || op.metadata.deletionTimestamp === undefined)
      this.#deps.caches.nodeOps.put(saved);
    return saved;
  }
}
