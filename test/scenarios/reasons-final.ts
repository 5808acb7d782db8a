/** Scenarios that end with each of the final reasons of a node. */
import { NODE_OP } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import { KubeError } from '../../kube/errors.js';
import { JOBS, NODES, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { type ClusterOptions, nodeObject } from '../fakes/cluster/object-builders.js';
import { createLegacyOperation, replaceLegacyOperator, AWAITING_REBOOT } from './migration-setup.js';
import {
  withPreflight,
  createNodeOp,
  withCommand,
  FAILS,
  HANGS,
  onOne,
  onTwo,
  untilCommandRuns,
  createUpgrade,
} from './reasons-setup.js';

export const rebooted = onTwo(
  cluster => createNodeOp(cluster, { cordon: true, rebootOnSuccess: true, concurrency: 1, settleSeconds: 5 }),
  {
    daemonSets: ['proxy'],
  },
);

const preflight = { command: ['look'], activeDeadlineSeconds: 5 };
export const skipped = onOne(
  cluster => createNodeOp(cluster, { preflight }),
  withPreflight({ message: 'nothing to do' }),
);
export const preflightFailed = onOne(cluster => createNodeOp(cluster, { preflight }), withPreflight(FAILS));
export const preflightTimedOut = onOne(cluster => createNodeOp(cluster, { preflight }), withPreflight(HANGS));

export const withoutAgent = onOne(cluster => {
  cluster.agents.get('n1')?.stop();
  createNodeOp(cluster, { rebootOnSuccess: true });
});

export const stateDirNotWritable = onOne(cluster => {
  cluster.machine('n1').host.set({ diskFault: 'ENOSPC: no space left on device' });
  createNodeOp(cluster, { rebootOnSuccess: true });
});

export const clockSkewed = onOne(cluster => {
  cluster.machine('n1').clockAheadMs = 31 * 60_000;
  createNodeOp(cluster, { rebootOnSuccess: true });
});

export const pullFailed = onOne(cluster => createNodeOp(cluster, { prePull: true, image: 'registry.example/none:1' }), {
  images: { 'registry.example/none:1': { error: 'manifest unknown' } },
});

const web: Partial<ClusterOptions> = {
  workloads: [{ name: 'web', replicas: 2 }],
  budgets: [{ name: 'web', workload: 'web', maxUnavailable: 0 }],
};

async function createDrainingNodeOp(cluster: FakeCluster, drainOptions: object): Promise<void> {
  await cluster.runFor(20);
  createNodeOp(cluster, { cordon: true, drainOptions: { enabled: true, timeoutSeconds: 20, ...drainOptions } });
}

export const drainTimedOut = onTwo(cluster => createDrainingNodeOp(cluster, {}), web);
export const drainRefused = onTwo(cluster => createDrainingNodeOp(cluster, { ignoreDaemonSets: false }), {
  daemonSets: ['proxy'],
});

/** The machine goes down just after its Pod was created, before its node is reported as NotReady. */
export const notStarted = onOne(async cluster => {
  createNodeOp(cluster, { prePull: true, startDeadlineSeconds: 5 });
  const isPodCreated = () => cluster.api.all(PODS).some(pod => pod.metadata.ownerReferences?.[0]?.kind === JOBS.kind);
  await cluster.runUntil(isPodCreated, 300);
  cluster.machine('n1').powerOff();
  await cluster.runFor(120);
  cluster.machine('n1').powerOn();
});

export const namespaceTerminating = onOne(cluster => {
  createNodeOp(cluster, { startDeadlineSeconds: 20 });
  cluster.api.terminatingNamespaces.add('default');
});

/** A policy refuses every change that makes a node schedulable. */
export const uncordonRefused = onOne(cluster => {
  const error = new KubeError(422, 'nodes need a ticket', 'Invalid');
  cluster.api.changes = ({ plural, body }) =>
    plural === NODES.plural && JSON.stringify(body).includes('"unschedulable":null') ? error : undefined;
  createNodeOp(cluster, { cordon: true, startDeadlineSeconds: 30 });
});

export const jobTimedOut = onOne(cluster => createNodeOp(cluster, { activeDeadlineSeconds: 10 }), withCommand(HANGS));
export const jobFailed = onOne(cluster => createNodeOp(cluster, { backoffLimit: 0 }), withCommand(FAILS));

/** The disk of the node is full when the command has succeeded. */
export const sentinelFailed = onOne(cluster => createNodeOp(cluster, { rebootOnSuccess: true, cordon: true }), {
  behavior: ({ container }) => (container.name === CONTAINERS.sentinel ? FAILS : undefined),
});

/** Runs `happens` while the command runs. */
const duringCommand = (action: (cluster: FakeCluster) => Promise<void> | void, spec: object = {}) =>
  onTwo(
    async cluster => {
      createNodeOp(cluster, spec);
      await untilCommandRuns(cluster);
      await action(cluster);
    },
    withCommand({ seconds: 100 }),
  );

export const jobDeleted = duringCommand(({ api }) => {
  for (const { metadata } of api.all(JOBS)) api.forceRemove(JOBS, metadata);
});

export const unreachable = duringCommand(
  async cluster => {
    cluster.machine('n1').powerOff();
    await cluster.runFor(200);
    cluster.machine('n1').powerOn();
  },
  { rebootTimeoutSeconds: 60 },
);

export const replaced = duringCommand(cluster => {
  cluster.api.forceRemove(NODES, { name: 'n1' });
  cluster.api.put(NODES, nodeObject({ name: 'n1' }, cluster.machine('n1').ids));
});

export const removed = duringCommand(({ api }) => api.forceRemove(NODES, { name: 'n1' }));

/** A cloud controller deletes the Node of a machine that is down. */
export const registeredAnew = onOne(async cluster => {
  createNodeOp(cluster, { rebootOnSuccess: true });
  await cluster.runUntil(() => !cluster.machine('n1').up, 300);
  cluster.delete(NODES, { name: 'n1' });
});

export const deleted = duringCommand(cluster => cluster.delete(NODE_OP, { name: 'op', namespace: 'default' }));

/** The shutdown takes longer than the reboot timeout. */
export const notRebooted = onOne(cluster => createNodeOp(cluster, { rebootOnSuccess: true, rebootTimeoutSeconds: 5 }), {
  nodes: [{ name: 'n1', shutdownSeconds: 60 }],
});

/** After the reboot the Pod of a DaemonSet does not become Ready any more. */
export const notSettled = onOne(
  async cluster => {
    await cluster.runFor(20);
    createNodeOp(cluster, { rebootOnSuccess: true, verifyTimeoutSeconds: 5 });
  },
  {
    daemonSets: ['proxy'],
    behavior: ({ container, machine }) =>
      container.name === 'main' && machine.shutdowns.length > 0 ? { seconds: 0, exitCode: 1 } : undefined,
  },
);

/** The new system was not written, so the node boots the old one. */
export const fellBack = onOne(cluster => createUpgrade(cluster), withCommand({ onSuccess: () => undefined }));

/** The legacy operator had started the node, and it is unknown whether it called the reboot. */
export const interrupted = onOne(cluster => {
  const nodes = { n1: { entry: AWAITING_REBOOT, job: 'complete' as const } };
  return replaceLegacyOperator(
    cluster,
    () => void createLegacyOperation(cluster, { phase: 'Running', spec: { rebootOnSuccess: true }, nodes }),
  );
});
