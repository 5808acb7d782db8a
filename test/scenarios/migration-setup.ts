/** Creates what the legacy operator leaves behind when it stops in the middle of an operation, following its published contract. */
import { apiVersion, NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS, KAIROS_STATE_DIR, LABELS, LEADER_LEASE, SENTINEL_MOUNT } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import { LEGACY_FINALIZER, REBOOT_STATE } from '../../controller/legacy/names.js';
import type { Stored } from '../../kube/kube.js';
import { JOBS, LEASES, NODES, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { BehaviorOverride } from '../fakes/cluster/container-behavior.js';
import { isFinished, type PodObject } from '../fakes/cluster/object-types.js';
import { type ClusterOptions, nodeOp } from '../fakes/cluster/object-builders.js';
import { OWN_NAMESPACE } from '../fakes/cluster/operator-programs.js';
import { RELEASED, nodesNamed as named, ONLY_N1 } from './lifecycle-setup.js';
import { runScenario, type ScenarioResult } from './run-scenario.js';

/** State of one node, in the order in which the legacy operator creates it. */
export interface LegacyNodeState {
  /** Its entry in the status; absent if the write was lost. */
  entry?: object;
  cordon?: 'marked' | 'manual';
  preflightPod?: boolean;
  job?: 'running' | 'complete' | 'failed';
  /** Its reboot Pod waits for the sentinel, or has annotated itself as completed. */
  rebootPod?: 'waiting' | 'triggered';
  /** Whether the second container of a complete Job has written the sentinel. */
  sentinel?: boolean;
}

export interface LegacyOperation {
  name?: string;
  spec?: object;
  /** Phase of the operation; absent if it was not reconciled yet. */
  phase?: 'Running' | 'Completed' | 'Failed';
  nodes: Readonly<Record<string, LegacyNodeState>>;
  owner?: object;
  /** Its reboot Pods reboot in the same way as an agent, so that the outcome does not depend on which of the two did it. */
  asAgent?: boolean;
  /** Its Jobs and Pods carry its labels, but no owner reference. */
  unowned?: boolean;
}

const NAMESPACE = 'default';
const SUFFIX = '-x7k2p';
const jobName = (op: string, node: string) => `${op}-${node}${SUFFIX}`;

/** Stores all objects of the operation as they are at this moment. */
export function createLegacyOperation(cluster: FakeCluster, left: LegacyOperation): NodeOp {
  const { api } = cluster;
  const { name = 'op', spec = {}, phase, nodes, owner, asAgent = false, unowned = false } = left;
  const reboots = 'rebootOnSuccess' in spec && spec.rebootOnSuccess === true;
  const template = nodeOp(name, spec);
  const entries = Object.entries(nodes).flatMap(([node, { entry, job }]) =>
    entry === undefined
      ? []
      : [
          [
            node,
            { lastUpdated: api.clock.now().toISOString(), ...(job && { jobName: jobName(name, node) }), ...entry },
          ],
        ],
  );
  const op = api.put<NodeOp>(NODE_OP, {
    ...template,
    metadata: {
      ...template.metadata,
      ...(reboots ? { finalizers: [LEGACY_FINALIZER] } : {}),
      ...(owner ? { ownerReferences: [owner] } : {}),
    },
    ...(phase ? { status: { phase, nodeStatuses: Object.fromEntries(entries) } } : {}),
  });
  for (const [node, one] of Object.entries(nodes))
    createNodeState(cluster, { op, node, one, reboots, asAgent, owners: unowned ? undefined : ownedBy(op) });
  return op;
}

interface NodeContext {
  op: NodeOp;
  node: string;
  one: LegacyNodeState;
  reboots: boolean;
  asAgent: boolean;
  owners: object[] | undefined;
}

function createNodeState(cluster: FakeCluster, place: NodeContext): void {
  const { op, node, one, asAgent, owners } = place;
  const { api } = cluster;
  if (one.cordon) cordonNode(cluster, node, one.cordon === 'marked' ? op : undefined);
  if (one.preflightPod) api.put(PODS, helperPod(op, node, { container: 'preflight', label: LABELS.preflight, owners }));
  if (one.job) api.put(JOBS, legacyJob(place, cluster));
  if (one.sentinel)
    void cluster
      .machine(node)
      .host.write(
        `${KAIROS_STATE_DIR}/${jobName(op.metadata.name, node)}-${seconds(cluster)}`,
        `Job completed at ${cluster.clock.now().toISOString()}\n`,
      );
  if (one.rebootPod) {
    const pod = helperPod(op, node, { container: 'reboot', label: LABELS.reboot, owners });
    const annotations = one.rebootPod === 'triggered' ? { [REBOOT_STATE]: 'completed' } : undefined;
    const kept = api.put<PodObject>(PODS, { ...pod, metadata: { ...pod.metadata, annotations } });
    simulateRebootPod(cluster, kept, { job: jobName(op.metadata.name, node), asAgent });
  }
}

/** The sentinels of the legacy operator state that the Job has ended, but not in which boot. */
export const legacyJobsLasting = (seconds: number): { behavior: BehaviorOverride } => ({
  behavior: ({ container, pod, machine, clock }) => {
    if (container.name === CONTAINERS.work) return { seconds };
    const job = pod.metadata.ownerReferences?.find(owner => owner.kind === JOBS.kind)?.name ?? '';
    if (container.name !== CONTAINERS.sentinel || !job.endsWith(SUFFIX)) return undefined;
    const writeSentinel = () => {
      const now = clock.now();
      const file = `${KAIROS_STATE_DIR}/${job}-${Math.floor(now.getTime() / 1000)}`;
      void machine.host.write(file, `Job completed at ${now.toISOString()}\n`);
    };
    return { seconds: 1, onSuccess: writeSentinel };
  },
});

const seconds = ({ clock }: FakeCluster) => Math.floor(clock.now().getTime() / 1000);

function cordonNode({ api }: FakeCluster, node: string, op: NodeOp | undefined): void {
  const cordonMark = op && `${NAMESPACE}/${op.metadata.name}@${op.metadata.uid}`;
  api.patch(
    NODES,
    { name: node },
    {
      metadata: cordonMark ? { annotations: { [ANNOTATIONS.cordonedBy]: cordonMark } } : {},
      spec: { unschedulable: true },
    },
  );
}

const ownedBy = ({ metadata }: Stored) => [
  { apiVersion: apiVersion(NODE_OP), kind: NODE_OP.kind, name: metadata.name, uid: metadata.uid, controller: true },
];

const labels = (op: NodeOp, node: string) => ({ [LABELS.nodeOp]: op.metadata.name, [LABELS.node]: node });

const helperPod = (
  op: NodeOp,
  node: string,
  { container, label, owners }: { container: string; label: string; owners: object[] | undefined },
) => ({
  metadata: {
    name: `${op.metadata.name}-${container}-${node}`,
    namespace: NAMESPACE,
    labels: { ...labels(op, node), [label]: 'true' },
    ownerReferences: owners,
  },
  spec: {
    nodeName: node,
    restartPolicy: 'OnFailure',
    ...(label === LABELS.reboot ? { hostPID: true } : {}),
    containers: [{ name: container, image: 'busybox:latest' }],
  },
  status: { phase: 'Pending' },
});

function legacyJob({ op, node, one, reboots, owners }: NodeContext, { clock }: FakeCluster): object {
  const now = clock.now().toISOString();
  const work = { name: CONTAINERS.work, image: 'busybox:latest' };
  const sentinel = {
    name: CONTAINERS.sentinel,
    image: 'busybox:latest',
    volumeMounts: [{ name: 'sentinel-volume', mountPath: SENTINEL_MOUNT }],
  };
  const type = one.job === 'complete' ? 'Complete' : 'Failed';
  const ended = { conditions: [{ type, status: 'True', lastTransitionTime: now }], completionTime: now };
  return {
    metadata: {
      name: jobName(op.metadata.name, node),
      namespace: NAMESPACE,
      labels: labels(op, node),
      ownerReferences: owners,
    },
    spec: {
      backoffLimit: 6,
      template: {
        metadata: { labels: labels(op, node) },
        spec: {
          nodeName: node,
          restartPolicy: 'Never',
          ...(reboots ? { initContainers: [work], containers: [sentinel] } : { containers: [work] }),
          volumes: [{ name: 'sentinel-volume', hostPath: { path: KAIROS_STATE_DIR } }],
        },
      },
    },
    status: { startTime: now, ...(one.job === 'running' ? { active: 1 } : ended) },
  };
}

const POLL_MS = 10_000;
const PAUSE_MS = 5_000;

/** Simulates the container of a reboot Pod: it polls for the sentinel, annotates its Pod, waits, and reboots its machine. */
function simulateRebootPod(
  cluster: FakeCluster,
  { metadata: { name, uid }, spec }: PodObject,
  { job, asAgent }: { job: string; asAgent: boolean },
): void {
  const { api, clock } = cluster;
  const at = { namespace: NAMESPACE, name };
  const machine = cluster.machine(spec.nodeName ?? '');
  const pod = () => api.find<PodObject>(PODS, at);
  const isRunning = () =>
    machine.up && cluster.containerRuns.some(each => each.podUid === uid && each.ended === undefined);
  const check = () => {
    const now = pod();
    if (now === undefined || now.metadata.uid !== uid || isFinished(now)) return;
    const found = [...machine.host.files.keys()].some(path => path.startsWith(`${KAIROS_STATE_DIR}/${job}-`));
    if (!isRunning()) clock.callAfter(1_000, check);
    else if (now.metadata.annotations?.[REBOOT_STATE] === 'completed') completePod(cluster, now);
    else if (found) triggerReboot();
    else clock.callAfter(POLL_MS, check);
  };
  const triggerReboot = () => {
    api.patch(PODS, at, { metadata: { annotations: { [REBOOT_STATE]: 'completed' } } });
    clock.callAfter(PAUSE_MS, () => {
      if (isRunning() && asAgent) void machine.host.signalInit(0);
      else if (isRunning()) machine.reboot();
      clock.callAfter(60_000, check);
    });
  };
  const wasTriggered = pod()?.metadata.annotations?.[REBOOT_STATE] === 'completed';
  clock.callAfter(wasTriggered ? PAUSE_MS : POLL_MS, wasTriggered ? () => clock.callAfter(60_000, check) : check);
}

function completePod({ api }: FakeCluster, pod: PodObject): void {
  api.put(PODS, { ...pod, status: { ...pod.status, phase: 'Succeeded' } });
}

/** Stops the controller, creates the legacy state, and starts the controller again. The lease is removed, so it leads at once. */
export async function replaceLegacyOperator(cluster: FakeCluster, before: () => void): Promise<void> {
  cluster.controllers[0]?.stop();
  await cluster.runFor(5);
  before();
  cluster.api.forceRemove(LEASES, { namespace: OWN_NAMESPACE, name: LEADER_LEASE });
  cluster.resetMutationCount();
  cluster.controllers[0]?.start();
}

export const JOB_RUNNING = { phase: 'Running', message: 'Job is running', rebootStatus: 'pending' };
export const AWAITING_REBOOT = { phase: 'Completed', message: 'Job completed successfully', rebootStatus: 'pending' };
export const JOB_CREATED = { phase: 'Pending', message: 'Job created', rebootStatus: 'pending' };

/** Runs a cluster from the moment the legacy operator stops until the migration has settled. */
export const runMigration = (
  before: (cluster: FakeCluster) => void,
  then: (cluster: FakeCluster) => Promise<void> | void = () => undefined,
  options: Partial<ClusterOptions> = {},
): Promise<ScenarioResult> =>
  runScenario({
    name: 'migration',
    cluster: { nodes: named('n1', 'n2', 'n3'), ...legacyJobsLasting(20), ...options },
    run: async cluster => {
      await replaceLegacyOperator(cluster, () => before(cluster));
      await then(cluster);
    },
    expected: {},
  });

export const NOT_REBOOTED = { ...RELEASED, shutdowns: '' };
export const REBOOTED_ONCE = { ...RELEASED, shutdowns: 'agent' };
export const REBOOT_N1 = { ...ONLY_N1, cordon: true, rebootOnSuccess: true };
