/** Setup shared by the lifecycle scenarios: specs, expected outcomes, and what users and other controllers do to nodes and NodeOps. */
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS, LEADER_LEASE } from '../../api/names.js';
import type { StepName } from '../../api/node-status.js';
import type { NodeAgent } from '../../api/objects.js';
import { NODES } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { BehaviorOverride } from '../fakes/cluster/container-behavior.js';
import { type ClusterOptions, nodeObject, type NodeOptions } from '../fakes/cluster/object-builders.js';
import { collectionOf } from '../fakes/kube.js';

export const nodesNamed = (...names: string[]): NodeOptions[] => names.map(name => ({ name }));

export const DRAIN = { cordon: true, drainOptions: { enabled: true } };
export const REBOOT = { ...DRAIN, rebootOnSuccess: true, concurrency: 1 };
export const ONLY_N1 = { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'n1' } } };

/** Expected of an outcome: everything has finished, and nothing is left behind. */
export const SETTLED = { settled: true, finalizers: [], leases: [LEADER_LEASE], hotLooped: [] };
/** Expected of a node: neither cordoned, nor marked, nor claimed. */
export const RELEASED = { cordoned: false, cordonMark: undefined, claimedBy: undefined };

export const OP = { name: 'op', namespace: 'default' };

/** Workloads under a disruption budget, so that a drain takes a while. */
export const WEB: Pick<ClusterOptions, 'workloads' | 'budgets' | 'daemonSets'> = {
  workloads: [{ name: 'web', replicas: 3 }],
  daemonSets: ['proxy'],
  budgets: [{ name: 'web', workload: 'web', maxUnavailable: 1 }],
};

export const commandLasting = (seconds: number): { behavior: BehaviorOverride } => ({
  behavior: ({ container }) => (container.name === CONTAINERS.work ? { seconds } : undefined),
});

export const ledgerOf = ({ api }: FakeCluster, node: string) =>
  api.find<NodeAgent>(NODE_AGENT, { name: node })?.spec.operation;

export const nodeMessage = (cluster: FakeCluster, node = 'n1'): string =>
  cluster.nodeOp('op')?.status?.nodeStatuses?.[node]?.message ?? '';

/** Runs until the condition holds, and throws if it does not within this many seconds. */
export async function runUntil(cluster: FakeCluster, condition: () => boolean, within = 900): Promise<void> {
  if (!(await cluster.runUntil(condition, within))) throw new Error(`condition never held: ${condition.toString()}`);
}

/** Runs until the node is at this step. */
export const untilStep = (cluster: FakeCluster, node: string, step: StepName): Promise<void> =>
  runUntil(cluster, () => ledgerOf(cluster, node)?.step === step);

export const untilCommandRuns = (cluster: FakeCluster, node: string): Promise<void> =>
  runUntil(cluster, () => cluster.isRunning(node, CONTAINERS.work));

export const untilFinished = (cluster: FakeCluster, name = 'op'): Promise<void> =>
  runUntil(cluster, () => ['Completed', 'Failed'].includes(cluster.nodeOp(name)?.status?.phase ?? ''), 3600);

/** Removes the Node object, and with it the agent's Pod. */
export function removeNode(cluster: FakeCluster, node: string): void {
  cluster.agents.get(node)?.stop();
  cluster.api.forceRemove(NODES, { name: node });
}

const AGENT_START_MS = 2_000;

/** The kubelet registers its node, as a new object with a new uid. */
export function registerNode(cluster: FakeCluster, traits: NodeOptions): void {
  const { name } = traits;
  cluster.api.put(NODES, nodeObject(traits, cluster.machine(name).ids));
  cluster.agents.get(name)?.start(AGENT_START_MS);
}

/** Another machine takes the name of the node: its kubelet registers when it has booted. */
export function installOtherMachine(cluster: FakeCluster, node: string): void {
  const machine = cluster.machine(node);
  removeNode(cluster, node);
  machine.powerOff();
  machine.exchange();
  machine.powerOn();
}

export const setLabels = ({ api }: FakeCluster, node: string, labels: Record<string, string | null>): void =>
  void api.patch(NODES, { name: node }, { metadata: { labels } });

export const annotate = ({ api }: FakeCluster, annotations: Record<string, string>, at = OP): void =>
  void api.patch(NODE_OP, at, { metadata: { annotations } });

export const retry = (cluster: FakeCluster): void => annotate(cluster, { [ANNOTATIONS.retry]: '1' });

/** The id and node uid of every claim that this node ever had. */
export function claimsOf({ api }: FakeCluster, node: string): string[] {
  const claims = api.store
    .history(collectionOf(NODE_AGENT))
    .filter(({ object }) => object.metadata.name === node)
    .map(({ object }) => object as object as NodeAgent);
  const ids = claims.flatMap(({ spec: { operation } }) => (operation ? [`${operation.id} ${operation.nodeUid}`] : []));
  return [...new Set(ids)];
}

/** Whether the Node object with this uid was ever cordoned or marked. */
export const wasEverCordoned = ({ api }: FakeCluster, uid: string): boolean =>
  api.store
    .history(collectionOf(NODES))
    .map(({ object }) => object as object as { metadata: typeof object.metadata & { annotations?: object } })
    .some(
      ({ metadata, ...rest }) =>
        metadata.uid === uid &&
        (ANNOTATIONS.cordonedBy in (metadata.annotations ?? {}) ||
          JSON.stringify(rest).includes('"unschedulable":true')),
    );

export const uidOf = ({ api }: FakeCluster, node: string): string =>
  api.find(NODES, { name: node })?.metadata.uid ?? '';

/** Cordons or uncordons a node as kubectl does, without a mark. */
export const setUnschedulable = ({ api }: FakeCluster, node: string, cordoned: boolean): void =>
  void api.patch(NODES, { name: node }, { spec: { unschedulable: cordoned ? true : null } });

export const deleteNodeOp = (cluster: FakeCluster): void => cluster.delete(NODE_OP, OP);

/** Sets the abandon annotation, so that the deletion waits for nothing, and deletes the NodeOp. */
export function abandonNodeOp(cluster: FakeCluster): void {
  if (cluster.nodeOp(OP.name)) annotate(cluster, { [ANNOTATIONS.abandon]: 'true' });
  deleteNodeOp(cluster);
}
