/** What the operator written in Go leaves behind when it stops in the middle: made from the published contract, object by object. */
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

/** Of one node, in the order in which the Go operator gets there. */
export interface NodeLeft {
  /** Its entry in the status; absent: the write did not come through. */
  entry?: object;
  cordon?: 'marked' | 'by hand';
  preflightPod?: boolean;
  job?: 'running' | 'complete' | 'failed';
  /** Its reboot Pod: waits for the sentinel, or has said "completed". */
  rebootPod?: 'waits' | 'called';
  /** Written by the second container of a Job that is complete. */
  sentinel?: boolean;
}

export interface OperationLeft {
  name?: string;
  spec?: object;
  /** Of the whole; absent: it has not looked yet. */
  phase?: 'Running' | 'Completed' | 'Failed';
  nodes: Readonly<Record<string, NodeLeft>>;
  owner?: object;
  /** Its reboot Pods call the reboot as an agent does: nobody can tell who it was. */
  asAgent?: boolean;
  /** What was made for it carries its labels, and no reference to it. */
  unowned?: boolean;
}

const NAMESPACE = 'default';
const SUFFIX = '-x7k2p';
const jobName = (op: string, node: string) => `${op}-${node}${SUFFIX}`;

/** Puts everything there, as it is stored in the cluster at this moment. */
export function leaves(cluster: FakeCluster, left: OperationLeft): NodeOp {
  const { api } = cluster;
  const { name = 'op', spec = {}, phase, nodes, owner, asAgent = false, unowned = false } = left;
  const reboots = 'rebootOnSuccess' in spec && spec.rebootOnSuccess === true;
  const whole = nodeOp(name, spec);
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
    ...whole,
    metadata: {
      ...whole.metadata,
      ...(reboots ? { finalizers: [LEGACY_FINALIZER] } : {}),
      ...(owner ? { ownerReferences: [owner] } : {}),
    },
    ...(phase ? { status: { phase, nodeStatuses: Object.fromEntries(entries) } } : {}),
  });
  for (const [node, one] of Object.entries(nodes))
    leavesOnNode(cluster, { op, node, one, reboots, asAgent, owners: unowned ? undefined : ownedBy(op) });
  return op;
}

interface Place {
  op: NodeOp;
  node: string;
  one: NodeLeft;
  reboots: boolean;
  asAgent: boolean;
  owners: object[] | undefined;
}

function leavesOnNode(cluster: FakeCluster, place: Place): void {
  const { op, node, one, asAgent, owners } = place;
  const { api } = cluster;
  if (one.cordon) cordons(cluster, node, one.cordon === 'marked' ? op : undefined);
  if (one.preflightPod) api.put(PODS, helper(op, node, { container: 'preflight', label: LABELS.preflight, owners }));
  if (one.job) api.put(JOBS, jobLeft(place, cluster));
  if (one.sentinel)
    void cluster
      .machine(node)
      .host.write(
        `${KAIROS_STATE_DIR}/${jobName(op.metadata.name, node)}-${seconds(cluster)}`,
        `Job completed at ${cluster.clock.now().toISOString()}\n`,
      );
  if (one.rebootPod) {
    const pod = helper(op, node, { container: 'reboot', label: LABELS.reboot, owners });
    const annotations = one.rebootPod === 'called' ? { [REBOOT_STATE]: 'completed' } : undefined;
    const kept = api.put<PodObject>(PODS, { ...pod, metadata: { ...pod.metadata, annotations } });
    waitsForSentinel(cluster, kept, { job: jobName(op.metadata.name, node), asAgent });
  }
}

/** Its sentinels say that the Job has ended, and not in which boot. */
export const itsJobsLast = (seconds: number): { behavior: BehaviorOverride } => ({
  behavior: ({ container, pod, machine, clock }) => {
    if (container.name === CONTAINERS.work) return { seconds };
    const job = pod.metadata.ownerReferences?.find(owner => owner.kind === JOBS.kind)?.name ?? '';
    if (container.name !== CONTAINERS.sentinel || !job.endsWith(SUFFIX)) return undefined;
    const words = () => {
      const now = clock.now();
      const file = `${KAIROS_STATE_DIR}/${job}-${Math.floor(now.getTime() / 1000)}`;
      void machine.host.write(file, `Job completed at ${now.toISOString()}\n`);
    };
    return { seconds: 1, onSuccess: words };
  },
});

const seconds = ({ clock }: FakeCluster) => Math.floor(clock.now().getTime() / 1000);

function cordons({ api }: FakeCluster, node: string, op: NodeOp | undefined): void {
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

const helper = (
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

function jobLeft({ op, node, one, reboots, owners }: Place, { clock }: FakeCluster): object {
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

/** What the reboot Pod does as long as its container runs: it looks for the sentinel, says so, waits, and reboots its machine. */
function waitsForSentinel(
  cluster: FakeCluster,
  { metadata: { name, uid }, spec }: PodObject,
  { job, asAgent }: { job: string; asAgent: boolean },
): void {
  const { api, clock } = cluster;
  const at = { namespace: NAMESPACE, name };
  const machine = cluster.machine(spec.nodeName ?? '');
  const pod = () => api.find<PodObject>(PODS, at);
  const runs = () => machine.up && cluster.containerRuns.some(each => each.podUid === uid && each.ended === undefined);
  const look = () => {
    const now = pod();
    if (now === undefined || now.metadata.uid !== uid || isFinished(now)) return;
    const found = [...machine.host.files.keys()].some(path => path.startsWith(`${KAIROS_STATE_DIR}/${job}-`));
    if (!runs()) clock.callAfter(1_000, look);
    else if (now.metadata.annotations?.[REBOOT_STATE] === 'completed') end(cluster, now);
    else if (found) calls();
    else clock.callAfter(POLL_MS, look);
  };
  const calls = () => {
    api.patch(PODS, at, { metadata: { annotations: { [REBOOT_STATE]: 'completed' } } });
    clock.callAfter(PAUSE_MS, () => {
      if (runs() && asAgent) void machine.host.signalInit(0);
      else if (runs()) machine.reboot();
      clock.callAfter(60_000, look);
    });
  };
  const wasCalled = pod()?.metadata.annotations?.[REBOOT_STATE] === 'completed';
  clock.callAfter(wasCalled ? PAUSE_MS : POLL_MS, wasCalled ? () => clock.callAfter(60_000, look) : look);
}

function end({ api }: FakeCluster, pod: PodObject): void {
  api.put(PODS, { ...pod, status: { ...pod.status, phase: 'Succeeded' } });
}

/** The controller stops; what `before` leaves is there when it begins anew, which is at once: the lease is free. */
export async function succeeds(cluster: FakeCluster, before: () => void): Promise<void> {
  cluster.controllers[0]?.stop();
  await cluster.runFor(5);
  before();
  cluster.api.forceRemove(LEASES, { namespace: OWN_NAMESPACE, name: LEADER_LEASE });
  cluster.resetMutationCount();
  cluster.controllers[0]?.start();
}

export const RUNNING = { phase: 'Running', message: 'Job is running', rebootStatus: 'pending' };
export const TO_REBOOT = { phase: 'Completed', message: 'Job completed successfully', rebootStatus: 'pending' };
export const CREATED = { phase: 'Pending', message: 'Job created', rebootStatus: 'pending' };

/** From the last moment of the one operator to the calm after the other. */
export const after = (
  before: (cluster: FakeCluster) => void,
  then: (cluster: FakeCluster) => Promise<void> | void = () => undefined,
  options: Partial<ClusterOptions> = {},
): Promise<ScenarioResult> =>
  runScenario({
    name: 'taken over',
    cluster: { nodes: named('n1', 'n2', 'n3'), ...itsJobsLast(20), ...options },
    run: async cluster => {
      await succeeds(cluster, () => before(cluster));
      await then(cluster);
    },
    expected: {},
  });

export const NEVER = { ...RELEASED, shutdowns: '' };
export const ONCE = { ...RELEASED, shutdowns: 'agent' };
export const REBOOTS = { ...ONLY_N1, cordon: true, rebootOnSuccess: true };
