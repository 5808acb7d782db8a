/** The controller's informer caches, filled by a test or kept up to date from a fake API server. */
import { NODE_AGENT, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import type { NodeAgent, NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import type { Caches } from '../../controller/cluster/informers.js';
import { pruneBudget, type CachedBudget } from '../../controller/cluster/budget.js';
import { pruneDaemonSet, type CachedDaemonSet } from '../../controller/cluster/daemon-set.js';
import { pruneJob, type CachedJob } from '../../controller/cluster/job.js';
import { pruneOwnKind } from '../../controller/cluster/large-spec.js';
import { pruneNode, type CachedNode } from '../../controller/cluster/node.js';
import { prunePod, type CachedPod } from '../../controller/cluster/pod.js';
import { ownerIndexKeys } from '../../controller/cluster/owner-index.js';
import { systemUUIDs } from '../../controller/cluster/system-uuid.js';
import { ObjectCache } from '../../kube/cache.js';
import type { Resource, Stored } from '../../kube/kube.js';
import { DAEMONSETS, JOBS, NODES, PDBS, PODS } from '../../kube/resources.js';
import { withSortedKeys } from './sorted-keys.js';
import { collectionOf, type FakeKube } from './kube.js';

/** Empty caches with the indexes of the real ones. */
export const emptyCaches = () => ({
  nodes: new ObjectCache<CachedNode>({ transform: pruneNode, indexes: { systemUUID: systemUUIDs } }),
  pods: new ObjectCache<CachedPod>({
    transform: prunePod,
    indexes: { node: pod => (pod.spec.nodeName ? [pod.spec.nodeName] : []), owner: ownerIndexKeys },
  }),
  jobs: new ObjectCache<CachedJob>({
    transform: pruneJob,
    indexes: {
      owner: ownerIndexKeys,
      operation: job => [job.metadata.labels?.['operator.kairos.io/nodeop-uid'] ?? ''],
    },
  }),
  daemonSets: new ObjectCache<CachedDaemonSet>({ transform: pruneDaemonSet }),
  budgets: new ObjectCache<CachedBudget>({ transform: pruneBudget }),
  nodeAgents: new ObjectCache<NodeAgent>({
    indexes: { operation: agent => (agent.spec.operation ? [agent.spec.operation.nodeOp.uid] : []) },
  }),
  nodeOps: new ObjectCache<NodeOp>({ transform: pruneOwnKind, indexes: { owner: ownerIndexKeys } }),
  upgrades: new ObjectCache<NodeOpUpgrade>({ transform: pruneOwnKind }),
});

/** Fills the cache and applies every later change to it; returns a function that stops this. */
function follow<T extends Stored>(kube: FakeKube, resource: Resource, cache: ObjectCache<T>): () => void {
  cache.replaceAll(kube.all<T>(resource), String(kube.store.version));
  return kube.store.onEvent((collection, { type, object }) => {
    if (collection === collectionOf(resource)) cache.applyEvent(type, withSortedKeys(object) as T);
  });
}

/** Caches that are always up to date, as if watch events took no time. */
export function cachesFollowing(kube: FakeKube): { caches: Caches; stop: () => void } {
  const caches = emptyCaches();
  const ends = [
    follow(kube, NODES, caches.nodes),
    follow(kube, PODS, caches.pods),
    follow(kube, JOBS, caches.jobs),
    follow(kube, DAEMONSETS, caches.daemonSets),
    follow(kube, PDBS, caches.budgets),
    follow(kube, NODE_AGENT, caches.nodeAgents),
    follow(kube, NODE_OP, caches.nodeOps),
    follow(kube, NODE_OP_UPGRADE, caches.upgrades),
  ];
  return { caches, stop: () => ends.forEach(end => end()) };
}
