/** Caches of the cluster for warnings. Nobody waits for them but readiness, and that not for ever. */
import { apiVersion, type Kind, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { informer } from '../../kube/informer.js';
import type { Kube, Meta, Resource, Stored } from '../../kube/kube.js';
import { NAMESPACES, NODES } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import { defaulted } from '../defaults.js';
import { reviewedObject } from '../admit.js';
import { hasStarted } from '../immutable-fields.js';
import { fieldsOf } from '../unknown-json.js';
import type { AdmissionRequest } from '../review.js';
import { clusterWarnings } from './warnings.js';
import { pullSecretWarnings } from './pull-secrets.js';
import { splitNodes } from './targets.js';
import type { NodeViews, NodeView, OperationView, ClusterView } from './cluster-view.js';

const bare = ({ name, namespace, uid, resourceVersion, labels }: Meta): Meta => ({
  name,
  namespace,
  uid,
  resourceVersion,
  labels,
});

const pruneNode = ({ metadata, spec, status }: NodeView): NodeView => ({
  metadata: bare(metadata),
  spec: { unschedulable: spec?.unschedulable },
  status: { nodeInfo: { operatingSystem: status?.nodeInfo?.operatingSystem } },
});

/** Of 5,000 nodes in a status only names and phases stay, and nothing of what has ended. */
function pruneOperation(kind: Kind): (operation: OperationView) => OperationView {
  return ({ metadata, spec, status }) => {
    const { phase, nodeOpName, nodeStatuses } = status ?? {};
    const about = { apiVersion: apiVersion(kind), kind: kind.kind, metadata: bare(metadata) };
    if (phase === 'Completed' || phase === 'Failed') return { ...about, status: { phase } };
    const phases = nodeStatuses && Object.entries(nodeStatuses).map(([name, one]) => [name, { phase: one.phase }]);
    const nodes: OperationView['status'] = phases ? { nodeStatuses: Object.fromEntries(phases) } : {};
    return { ...about, spec: { nodeSelector: spec?.nodeSelector }, status: { phase, nodeOpName, ...nodes } };
  };
}

const pruneNamespace = ({ metadata }: Stored): Stored => ({ metadata: bare(metadata) });

/** Nodes are large, and the memory small: few of them stand in it at once. */
const PAGE_SIZE = 100;
/** Warnings are not worth a cluster without admission: without its caches the webhook serves all the same. */
const LONGEST_WAIT_MS = 60_000;

export interface ClusterCacheDeps {
  kube: Kube;
  clock: Clock;
  log: Log;
}

/** Sees the cluster and speaks of what a wish would reach in it. */
export class ClusterCache {
  readonly #parts: ClusterCacheDeps;
  readonly #caches;
  readonly #begun: number;
  /** Until a node changes. */
  #nodes: NodeViews | undefined;

  constructor(parts: ClusterCacheDeps) {
    this.#parts = parts;
    const watching = <T extends Stored>(resource: Resource, transform: (object: T) => T) =>
      informer<T>(parts.kube, resource, { log: parts.log, clock: parts.clock, pageSize: PAGE_SIZE, transform });
    this.#caches = {
      nodes: watching(NODES, pruneNode),
      nodeOps: watching(NODE_OP, pruneOperation(NODE_OP)),
      upgrades: watching(NODE_OP_UPGRADE, pruneOperation(NODE_OP_UPGRADE)),
      namespaces: watching(NAMESPACES, pruneNamespace),
    };
    this.#caches.nodes.cache.onChange(() => (this.#nodes = undefined));
    this.#begun = parts.clock.monotonic();
  }

  /** Looks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Object.values(this.#caches).map(cache => cache.run(signal)));
  }

  /** Why the replica is not ready yet, if so. */
  syncFault(): string | undefined {
    const missing = Object.entries(this.#caches).flatMap(([name, { cache }]) => (cache.hasSynced() ? [] : [name]));
    const waited = this.#parts.clock.monotonic() - this.#begun;
    return missing.length === 0 || waited >= LONGEST_WAIT_MS ? undefined : `not yet seen: ${missing.join(', ')}`;
  }

  /** What there is to say of a wish that is allowed: of a new one, or of one that changes before it has begun. */
  async reach(request: AdmissionRequest): Promise<string[]> {
    const subject = reviewedObject(request);
    if (!subject || (subject.before && hasStarted(subject.before))) return [];
    const spec = fieldsOf(defaulted(subject.expected.spec, subject.object.spec));
    const wish = { kind: request.kind.kind, namespace: request.namespace ?? '', name: request.name ?? '', spec };
    const { kube, clock } = this.#parts;
    return [...clusterWarnings(wish, this.#view()), ...(await pullSecretWarnings(kube, clock, wish))];
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
