/** The outcome of a scenario: what must be the same whichever fault was injected. */
import { NODE_AGENT, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS } from '../../api/names.js';
import type { NodeAgent, NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import { JOBS, LEASES, NODES, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { JobObject, NodeObject } from '../fakes/cluster/object-types.js';
import { collectionOf } from '../fakes/kube.js';

/**
 * The phase of each operation; phase, reason and reboot status of each of its nodes; the cordon, claim and shutdowns of each node;
 * every Job that was ever allowed to run, and how often its command was started.
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
  /** Jobs that were ever not suspended; a Job that stayed suspended never ran. */
  jobs: string[];
  /** Jobs that still exist. */
  jobsLeft: string[];
  /** Programs that were stopped because they looped without any time passing. */
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
    nodes: Object.fromEntries(api.all<NodeObject>(NODES).map(node => [node.metadata.name, nodeOutcome(node, cluster)])),
    finalizers: [...api.all(NODE_OP), ...api.all(NODE_AGENT), ...api.all(JOBS)].flatMap(
      ({ metadata }) => metadata.finalizers ?? [],
    ),
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

function nodeOutcome({ metadata, spec }: NodeObject, cluster: FakeCluster) {
  const cordonMark = metadata.annotations?.[ANNOTATIONS.cordonedBy]?.replace(/@.*/, '');
  const claimedBy = cluster.api.find<NodeAgent>(NODE_AGENT, metadata)?.spec.operation?.nodeOp.name;
  return {
    cordoned: spec.unschedulable === true,
    cordonMark,
    claimedBy,
    shutdowns: cluster.machine(metadata.name).shutdowns.join(' '),
  };
}

/** The names of all Jobs, one for each uid, so that a second Job of a node is visible. */
function jobsRun({ api }: FakeCluster): string[] {
  const seen = new Map<string, string>();
  for (const { object } of api.store.history(collectionOf(JOBS)))
    if ((object as object as JobObject).spec.suspend !== true) seen.set(object.metadata.uid, object.metadata.name);
  return [...seen.values()].toSorted();
}

/** How often the command was started, by node and operation. */
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

/** How many Pods of each workload were evicted or deleted; more than in the run without faults would be needless disruption. */
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
