/** How a story came out: what must be the same whatever died on the way. */
import { NODE_AGENT, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS } from '../../api/names.js';
import type { NodeAgent, NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import { JOBS, LEASES, NODES, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { JobObject, NodeObject } from '../fakes/cluster/object-types.js';
import { collectionOf } from '../fakes/kube.js';

/**
 * Of each operation its phase, of each node of it phase, reason and reboot; of each node how it was left, who holds it, and how often its
 * machine went down and why; every Job that ever might run, and how often its command was started.
 */
export interface Outcome {
  settled: boolean;
  operations: Record<string, { phase?: string; nodes: Record<string, string> }>;
  upgrades: Record<string, string | undefined>;
  nodes: Record<
    string,
    { cordoned: boolean; cordonMark: string | undefined; claimedBy: string | undefined; shutdowns: string }
  >;
  finalizers: string[];
  leases: string[];
  /** That may run: a Job that was made and never let go does no harm. */
  jobs: string[];
  jobsLeft: string[];
  /** Programs that asked without end. */
  hotLooped: string[];
  commands: Record<string, number>;
}

export function outcomeOf(cluster: FakeCluster, settled: boolean): Outcome {
  const { api } = cluster;
  return {
    settled,
    operations: Object.fromEntries(api.all<NodeOp>(NODE_OP).map(op => [op.metadata.name, operation(op)])),
    upgrades: Object.fromEntries(
      api.all<NodeOpUpgrade>(NODE_OP_UPGRADE).map(({ metadata, status }) => [metadata.name, status?.phase]),
    ),
    nodes: Object.fromEntries(api.all<NodeObject>(NODES).map(node => [node.metadata.name, left(node, cluster)])),
    finalizers: [...api.all(NODE_OP), ...api.all(NODE_AGENT)].flatMap(({ metadata }) => metadata.finalizers ?? []),
    leases: api.all(LEASES).map(({ metadata }) => metadata.name),
    jobs: jobsRun(cluster),
    jobsLeft: api
      .all(JOBS)
      .map(({ metadata }) => metadata.name)
      .toSorted(),
    hotLooped: cluster.programs().flatMap(({ hotLooped, name }) => (hotLooped ? [name] : [])),
    commands: commandsRun(cluster),
  };
}

const operation = ({ status }: NodeOp) => ({
  phase: status?.phase,
  nodes: sorted(
    Object.fromEntries(
      Object.entries(status?.nodeStatuses ?? {}).map(([name, { phase, reason, rebootStatus }]) => [
        name,
        `${phase} ${reason} ${rebootStatus}`,
      ]),
    ),
  ),
});

function left({ metadata, spec }: NodeObject, cluster: FakeCluster) {
  const cordonMark = metadata.annotations?.[ANNOTATIONS.cordonedBy]?.replace(/@.*/, '');
  const claimedBy = cluster.api.find<NodeAgent>(NODE_AGENT, metadata)?.spec.operation?.nodeOp.name;
  return {
    cordoned: spec.unschedulable === true,
    cordonMark,
    claimedBy,
    shutdowns: cluster.machine(metadata.name).shutdowns.join(' '),
  };
}

/** Names, one for each uid: a second Job of a node would stand here. */
function jobsRun({ api }: FakeCluster): string[] {
  const seen = new Map<string, string>();
  for (const { object } of api.store.history(collectionOf(JOBS)))
    if ((object as object as JobObject).spec.suspend !== true) seen.set(object.metadata.uid, object.metadata.name);
  return [...seen.values()].toSorted();
}

/** Starts of the command, by node and operation. */
function commandsRun({ containerRuns, api }: FakeCluster): Record<string, number> {
  const labels = new Map(
    api.store.history(collectionOf(PODS)).map(({ object }) => [object.metadata.uid, object.metadata.labels]),
  );
  const counts: Record<string, number> = {};
  for (const { container, node, podUid } of containerRuns) {
    if (container !== CONTAINERS.work) continue;
    const key = `${node} ${labels.get(podUid)?.['kairos.io/nodeop'] ?? ''}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return sorted(counts);
}

const sorted = <T>(fields: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** How many Pods of each workload left a node by an eviction that was granted or by a deletion: more than in the calm story would be needless. */
export function removedPodsByApp({ api }: FakeCluster): Record<string, number> {
  const counts: Record<string, number> = {};
  const seen = new Set<string>();
  for (const { object } of api.store.history(collectionOf(PODS))) {
    const { deletionTimestamp, labels, uid } = object.metadata;
    const app = labels?.app;
    if (deletionTimestamp === undefined || app === undefined || seen.has(uid)) continue;
    seen.add(uid);
    counts[app] = (counts[app] ?? 0) + 1;
  }
  return counts;
}
