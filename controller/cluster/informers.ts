/** The informers that the controllers share, with objects pruned to the fields that are read. */
import { NODE_AGENT, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { LABELS } from '../../api/names.js';
import type { NodeAgent, NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import { type Informer, informer } from '../../kube/informer.js';
import type { Kube, Resource, Stored } from '../../kube/kube.js';
import { DAEMONSETS, JOBS, NODES, PDBS, PODS } from '../../kube/resources.js';
import type { Clock } from '../../program/clock.js';
import type { Log } from '../../program/log.js';
import { pruneBudget, type CachedBudget } from './budget.js';
import { pruneDaemonSet, type CachedDaemonSet } from './daemon-set.js';
import { pruneOwnKind } from './large-spec.js';
import { pruneJob, type CachedJob } from './job.js';
import { ownerIndexKeys } from './owner-index.js';
import { pruneNode, type CachedNode } from './node.js';
import { prunePod, type CachedPod } from './pod.js';
import { systemUUIDs } from './system-uuid.js';

export interface Informers {
  nodes: Informer<CachedNode>;
  pods: Informer<CachedPod>;
  jobs: Informer<CachedJob>;
  daemonSets: Informer<CachedDaemonSet>;
  budgets: Informer<CachedBudget>;
  nodeAgents: Informer<NodeAgent>;
  nodeOps: Informer<NodeOp>;
  upgrades: Informer<NodeOpUpgrade>;
}

export type Caches = { [Name in keyof Informers]: Informers[Name]['cache'] };

export const withoutManagedFields = <T extends Stored>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, managedFields: undefined },
});

export function createInformers(kube: Kube, { log, clock }: { log: Log; clock: Clock }): Informers {
  const watch = <T extends Stored>(resource: Resource, options: Partial<Parameters<typeof informer<T>>[2]> = {}) =>
    informer<T>(kube, resource, { log, clock, transform: withoutManagedFields, ...options });
  return {
    // Transforms must accept objects that are pruned already: the response to an own write is put into the cache as well.
    nodes: watch<CachedNode>(NODES, { transform: pruneNode, indexes: { systemUUID: systemUUIDs } }),
    pods: watch<CachedPod>(PODS, {
      transform: prunePod,
      indexes: { node: pod => (pod.spec.nodeName ? [pod.spec.nodeName] : []), owner: ownerIndexKeys },
    }),
    jobs: watch<CachedJob>(JOBS, {
      transform: pruneJob,
      labelSelector: LABELS.nodeOpUid,
      indexes: { owner: ownerIndexKeys, operation: job => [job.metadata.labels?.[LABELS.nodeOpUid] ?? ''] },
    }),
    daemonSets: watch<CachedDaemonSet>(DAEMONSETS, { transform: pruneDaemonSet }),
    budgets: watch<CachedBudget>(PDBS, { transform: pruneBudget }),
    nodeAgents: watch<NodeAgent>(NODE_AGENT, {
      indexes: { operation: agent => (agent.spec.operation ? [agent.spec.operation.nodeOp.uid] : []) },
    }),
    nodeOps: watch<NodeOp>(NODE_OP, { transform: pruneOwnKind, indexes: { owner: ownerIndexKeys } }),
    upgrades: watch<NodeOpUpgrade>(NODE_OP_UPGRADE, { transform: pruneOwnKind }),
  };
}

export const cachesOf = (informers: Informers): Caches => ({
  nodes: informers.nodes.cache,
  pods: informers.pods.cache,
  jobs: informers.jobs.cache,
  daemonSets: informers.daemonSets.cache,
  budgets: informers.budgets.cache,
  nodeAgents: informers.nodeAgents.cache,
  nodeOps: informers.nodeOps.cache,
  upgrades: informers.upgrades.cache,
});

/** Resolves when every cache holds a complete list. */
export async function allSynced(informers: Informers, signal: AbortSignal): Promise<void> {
  await Promise.all(Object.values(informers).map(each => each.waitForSync(signal)));
}
