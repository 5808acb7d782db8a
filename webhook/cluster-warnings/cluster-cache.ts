/** Caches of the cluster state for warnings. Reviews do not wait for them; readiness does, for a limited time. */
import { apiVersion, type Kind, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { informer } from '../../kube/informer.js';
import type { Kube, Meta, Resource, Stored } from '../../kube/kube.js';
import { NAMESPACES, NODES } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import { hasStarted } from '../immutable-fields.js';
import { fieldsOf, textOf } from '../unknown-json.js';
import { defaultedSpec, type ReviewedObject } from '../validate.js';
import { clusterWarnings } from './warnings.js';
import { pullSecretWarnings } from './pull-secrets.js';
import { splitNodes } from './targets.js';
import type { NodeViews, NodeView, OperationView, ClusterView } from './cluster-view.js';

const prunedMeta = ({ name, namespace, uid, resourceVersion, labels }: Meta): Meta => ({
  name,
  namespace,
  uid,
  resourceVersion,
  labels,
});

const pruneNode = ({ metadata, spec, status }: NodeView): NodeView => ({
  metadata: prunedMeta(metadata),
  spec: { unschedulable: spec?.unschedulable, taints: spec?.taints?.map(({ key, value }) => ({ key, value })) },
  status: { nodeInfo: { operatingSystem: status?.nodeInfo?.operatingSystem } },
});

/** Keeps only names and phases of the nodes, since an operation may have 5,000 of them, and nothing else of an ended operation. */
function pruneOperation(kind: Kind): (operation: OperationView) => OperationView {
  return ({ metadata, spec, status }) => {
    const { phase, nodeOpName, nodeStatuses } = status ?? {};
    const { creationTimestamp, deletionTimestamp } = metadata;
    const identity = {
      apiVersion: apiVersion(kind),
      kind: kind.kind,
      metadata: { ...prunedMeta(metadata), creationTimestamp, deletionTimestamp },
    };
    if (phase === 'Completed' || phase === 'Failed') return { ...identity, status: { phase } };
    const phases =
      nodeStatuses &&
      Object.entries(nodeStatuses).map(([name, { phase: nodePhase, startedAt }]) => [
        name,
        { phase: nodePhase, startedAt },
      ]);
    const nodes: OperationView['status'] = phases ? { nodeStatuses: Object.fromEntries(phases) } : {};
    return {
      ...identity,
      spec: { nodeSelector: spec?.nodeSelector, paused: spec?.paused },
      status: { phase, nodeOpName, ...nodes },
    };
  };
}

const pruneNamespace = ({ metadata }: Stored): Stored => ({ metadata: prunedMeta(metadata) });

/** Node objects are large, so that small pages keep the memory usage low. */
const PAGE_SIZE = 100;
/** After this time the webhook is ready without its caches: missing warnings are better than no admission. */
const MAX_SYNC_MS = 60_000;

export interface ClusterCacheDeps {
  kube: Kube;
  clock: Clock;
  log: Log;
}

/** Watches the cluster and gives warnings about the effect of an object on it. */
export class ClusterCache {
  readonly #deps: ClusterCacheDeps;
  readonly #caches;
  readonly #startedAt: number;
  /** Computed on demand; reset when a node changes. */
  #nodes: NodeViews | undefined;

  constructor(deps: ClusterCacheDeps) {
    this.#deps = deps;
    const watched = <T extends Stored>(resource: Resource, transform: (object: T) => T) =>
      informer<T>(deps.kube, resource, { log: deps.log, clock: deps.clock, pageSize: PAGE_SIZE, transform });
    this.#caches = {
      nodes: watched(NODES, pruneNode),
      nodeOps: watched(NODE_OP, pruneOperation(NODE_OP)),
      upgrades: watched(NODE_OP_UPGRADE, pruneOperation(NODE_OP_UPGRADE)),
      namespaces: watched(NAMESPACES, pruneNamespace),
    };
    this.#caches.nodes.cache.onChange(() => (this.#nodes = undefined));
    this.#startedAt = deps.clock.monotonic();
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Object.values(this.#caches).map(cache => cache.run(signal)));
  }

  /** Why the replica is not ready yet because of its caches, if so. */
  syncFault(): string | undefined {
    const missing = Object.entries(this.#caches).flatMap(([name, { cache }]) => (cache.hasSynced() ? [] : [name]));
    const waited = this.#deps.clock.monotonic() - this.#startedAt;
    return missing.length === 0 || waited >= MAX_SYNC_MS ? undefined : `caches not synced: ${missing.join(', ')}`;
  }

  /** Warnings about an allowed object; none about an operation that has already started. */
  async warningsFor(reviewed: ReviewedObject): Promise<string[]> {
    if (reviewed.before && hasStarted(reviewed.before)) return [];
    const { kind, namespace, name } = reviewed;
    const createdAt = textOf(fieldsOf(reviewed.before?.metadata).creationTimestamp);
    const object = { kind, namespace, name, createdAt, spec: defaultedSpec(reviewed) };
    const { kube, clock } = this.#deps;
    return [...clusterWarnings(object, this.#view()), ...(await pullSecretWarnings(kube, clock, object))];
  }

  #view(): ClusterView {
    const { nodes, nodeOps, upgrades, namespaces } = this.#caches;
    const operations = () => [...nodeOps.cache.list(), ...upgrades.cache.list()];
    return {
      nodes: nodes.cache.hasSynced() ? (this.#nodes ??= splitNodes(nodes.cache.list())) : undefined,
      operations: nodeOps.cache.hasSynced() && upgrades.cache.hasSynced() ? operations() : undefined,
      namespace: name => namespaces.cache.get({ name }),
    };
  }
}
