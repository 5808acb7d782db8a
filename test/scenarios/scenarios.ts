/** The scenarios that run without faults, and again with every injected fault. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { BehaviorOverride } from '../fakes/cluster/container-behavior.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import type { Scenario } from './scenario.js';

const nodes = (...names: string[]) => names.map(name => ({ name }));

const WEB = {
  workloads: [{ name: 'web', replicas: 3 }],
  daemonSets: ['proxy'],
  budgets: [{ name: 'web', workload: 'web', maxUnavailable: 1 }],
};

/** Creates a NodeOp named `op`. */
const createsNodeOp =
  (spec: object): Scenario['run'] =>
  cluster =>
    void cluster.apply(NODE_OP, nodeOp('op', spec));

const operation = (phase: string, each: Record<string, string>) => ({ operations: { op: { phase, nodes: each } } });

const DONE = 'Completed Done not-requested';
const REBOOTED = 'Completed Done completed';
const DRAIN = { cordon: true, drainOptions: { enabled: true } };
const REBOOT = { cordon: true, rebootOnSuccess: true, concurrency: 1 };

/** The command fails on these nodes. */
const fails =
  (...names: string[]): BehaviorOverride =>
  ({ container, machine }) =>
    container.name === CONTAINERS.work && names.includes(machine.name) ? { exitCode: 3, message: 'no' } : undefined;

const removed = (cluster: FakeCluster) => cluster.delete(NODE_OP, { name: 'op', namespace: 'default' });

export const plain: Scenario = {
  name: 'a plain command on two nodes',
  cluster: { nodes: nodes('n1', 'n2') },
  run: createsNodeOp({}),
  expected: operation('Completed', { n1: DONE, n2: DONE }),
};

export const drained: Scenario = {
  name: 'cordon and drain under a disruption budget, one node after the other',
  cluster: { nodes: nodes('n1', 'n2', 'n3'), ...WEB },
  run: createsNodeOp({ ...DRAIN, concurrency: 1 }),
  expected: operation('Completed', { n1: DONE, n2: DONE, n3: DONE }),
};

export const rebooted: Scenario = {
  name: 'a reboot after the command',
  cluster: { nodes: nodes('n1', 'n2'), daemonSets: ['proxy'] },
  run: createsNodeOp(REBOOT),
  expected: operation('Completed', { n1: REBOOTED, n2: REBOOTED }),
};

export const failed: Scenario = {
  name: 'a command that fails on one node, which stays cordoned for inspection',
  cluster: { nodes: nodes('n1', 'n2'), behavior: fails('n1') },
  run: createsNodeOp({ cordon: true, backoffLimit: 1 }),
  expected: {
    ...operation('Failed', { n1: 'Failed JobFailed not-requested', n2: DONE }),
    commands: { 'n1 op': 2, 'n2 op': 1 },
  },
};

export const failedUncordoned: Scenario = {
  name: 'a command that fails before a reboot, with uncordonOnFailure',
  cluster: { nodes: nodes('n1', 'n2'), behavior: fails('n1') },
  run: createsNodeOp({ ...REBOOT, uncordonOnFailure: true, backoffLimit: 0 }),
  expected: operation('Failed', { n1: 'Failed JobFailed cancelled', n2: REBOOTED }),
};

export const stopped: Scenario = {
  name: 'a failed node that stops the operation on the others',
  cluster: { nodes: nodes('n1', 'n2'), behavior: fails('n1') },
  run: createsNodeOp({ concurrency: 1, stopOnFailure: true, backoffLimit: 0 }),
  expected: operation('Failed', { n1: 'Failed JobFailed not-requested', n2: 'Pending Stopped not-requested' }),
};

export const drainTimeout: Scenario = {
  name: 'a drain that a disruption budget never allows',
  cluster: {
    nodes: nodes('n1', 'n2'),
    workloads: WEB.workloads,
    budgets: [{ name: 'web', workload: 'web', maxUnavailable: 0 }],
  },
  run: createsNodeOp({
    ...DRAIN,
    drainOptions: { enabled: true, timeoutSeconds: 40 },
    nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'n1' } },
  }),
  expected: operation('Failed', { n1: 'Failed DrainTimeout not-requested' }),
};

export const abreast: Scenario = {
  name: 'four nodes that drain and reboot, two at once',
  cluster: { nodes: nodes('n1', 'n2', 'n3', 'n4'), ...WEB },
  run: createsNodeOp({ ...DRAIN, rebootOnSuccess: true, concurrency: 2 }),
  expected: operation('Completed', { n1: REBOOTED, n2: REBOOTED, n3: REBOOTED, n4: REBOOTED }),
};

export const single: Scenario = {
  name: 'a drain of the only node, from which no Pod can move',
  cluster: { nodes: nodes('n1'), workloads: WEB.workloads },
  run: createsNodeOp({ ...DRAIN, rebootOnSuccess: true }),
  expected: operation('Completed', { n1: REBOOTED }),
};

export const rivals: Scenario = {
  name: 'two operations on the same nodes',
  cluster: { nodes: nodes('n1', 'n2') },
  run: cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { cordon: true }));
    cluster.apply(NODE_OP, nodeOp('other', { cordon: true, rebootOnSuccess: true, concurrency: 1 }));
  },
  expected: { operations: { op: { phase: 'Completed' }, other: { phase: 'Completed' } } },
};

const OLD = { '/etc/kairos-release': KAIROS_RELEASE };
const NEW_RELEASE = KAIROS_RELEASE.replace('v3.5.0', 'v3.6.0');
const IMAGES = {
  'registry.example/kairos:1': { release: KAIROS_RELEASE },
  'registry.example/kairos:2': { release: NEW_RELEASE },
};

export const upgraded: Scenario = {
  name: 'an upgrade of a control plane and a worker',
  cluster: {
    nodes: [
      { name: 'cp', controlPlane: true, files: OLD },
      { name: 'w1', files: OLD },
    ],
    images: IMAGES,
  },
  run: cluster => void cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('up', { image: 'registry.example/kairos:2' })),
  expected: {
    upgrades: { up: 'Completed' },
    operations: { up: { phase: 'Completed', nodes: { cp: REBOOTED, w1: REBOOTED } } },
  },
};

export const upToDate: Scenario = {
  name: 'an upgrade of nodes that already run the version',
  cluster: { nodes: nodes('n1', 'n2'), images: IMAGES },
  run: cluster => void cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('up', { image: 'registry.example/kairos:1' })),
  expected: { upgrades: { up: 'Completed' }, commands: {} },
};

const deletedWhen =
  (spec: object, condition: (cluster: FakeCluster) => boolean): Scenario['run'] =>
  async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', spec));
    await cluster.runUntil(() => condition(cluster), 600);
    removed(cluster);
  };

export const deletedInDrain: Scenario = {
  name: 'a NodeOp deleted during its drain',
  cluster: {
    nodes: nodes('n1', 'n2'),
    workloads: WEB.workloads,
    budgets: [{ name: 'web', workload: 'web', maxUnavailable: 0 }],
  },
  run: deletedWhen(DRAIN, cluster => cluster.nodeOp('op')?.status?.nodeStatuses?.n1?.reason === 'Draining'),
  expected: { operations: {}, jobs: [] },
};

export const deletedInJob: Scenario = {
  name: 'a NodeOp deleted while its command runs',
  cluster: {
    nodes: nodes('n1', 'n2'),
    behavior: ({ container }) => (container.name === CONTAINERS.work ? { seconds: 300 } : undefined),
  },
  run: deletedWhen({ cordon: true }, cluster => ['n1', 'n2'].every(name => cluster.isRunning(name, CONTAINERS.work))),
  expected: { operations: {} },
};

export const deletedInReboot: Scenario = {
  name: 'a NodeOp deleted while its node reboots',
  cluster: { nodes: nodes('n1') },
  run: deletedWhen(REBOOT, cluster => !cluster.machine('n1').up),
  expected: { operations: {}, nodes: { n1: { cordoned: false, shutdowns: 'agent' } } },
};

export const powerCutInJob: Scenario = {
  name: 'a power cut while the command runs',
  cluster: { nodes: nodes('n1', 'n2'), daemonSets: ['proxy'] },
  run: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', REBOOT));
    await cluster.runUntil(() => cluster.isRunning('n1', CONTAINERS.work), 600);
    cluster.machine('n1').powerOff();
    await cluster.runFor(60);
    cluster.machine('n1').powerOn();
  },
  expected: { ...operation('Completed', { n1: REBOOTED, n2: REBOOTED }), commands: { 'n1 op': 2, 'n2 op': 1 } },
};

export const powerCutInReboot: Scenario = {
  name: 'a power cut while the machine boots',
  cluster: { nodes: nodes('n1', 'n2'), daemonSets: ['proxy'] },
  run: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', REBOOT));
    await cluster.runUntil(() => !cluster.machine('n1').up, 600);
    await cluster.runFor(5);
    cluster.machine('n1').powerOff();
    await cluster.runFor(60);
    cluster.machine('n1').powerOn();
  },
  expected: operation('Completed', { n1: REBOOTED, n2: REBOOTED }),
};
