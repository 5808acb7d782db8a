/** The stories that are told calm, and again with every mishap. */
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { Errands } from '../fakes/cluster/pending-work.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/objects.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import type { Story } from './story.js';

const nodes = (...names: string[]) => names.map(name => ({ name }));

const WEB = {
  workloads: [{ name: 'web', replicas: 3 }],
  daemonSets: ['proxy'],
  budgets: [{ name: 'web', guards: 'web', maxUnavailable: 1 }],
};

/** A NodeOp named `op`. */
const begins =
  (spec: object): Story['play'] =>
  cluster =>
    void cluster.apply(NODE_OP, nodeOp('op', spec));

const operation = (phase: string, each: Record<string, string>) => ({ operations: { op: { phase, nodes: each } } });

const DONE = 'Completed Done not-requested';
const REBOOTED = 'Completed Done completed';
const DRAIN = { cordon: true, drainOptions: { enabled: true } };
const REBOOT = { cordon: true, rebootOnSuccess: true, concurrency: 1 };

/** The command fails on these nodes. */
const fails =
  (...names: string[]): Errands =>
  ({ container, machine }) =>
    container.name === CONTAINERS.work && names.includes(machine.name) ? { exitCode: 3, message: 'no' } : undefined;

const removed = (cluster: FakeCluster) => cluster.delete(NODE_OP, { name: 'op', namespace: 'default' });

export const plain: Story = {
  name: 'a plain command on two nodes',
  cluster: { nodes: nodes('n1', 'n2') },
  play: begins({}),
  ends: operation('Completed', { n1: DONE, n2: DONE }),
};

export const drained: Story = {
  name: 'cordon and drain under a budget, one node after the other',
  cluster: { nodes: nodes('n1', 'n2', 'n3'), ...WEB },
  play: begins({ ...DRAIN, concurrency: 1 }),
  ends: operation('Completed', { n1: DONE, n2: DONE, n3: DONE }),
};

export const rebooted: Story = {
  name: 'a reboot after the command',
  cluster: { nodes: nodes('n1', 'n2'), daemonSets: ['proxy'] },
  play: begins(REBOOT),
  ends: operation('Completed', { n1: REBOOTED, n2: REBOOTED }),
};

export const failed: Story = {
  name: 'a command that fails on one node, which is left for inspection',
  cluster: { nodes: nodes('n1', 'n2'), errands: fails('n1') },
  play: begins({ cordon: true, backoffLimit: 1 }),
  ends: {
    ...operation('Failed', { n1: 'Failed JobFailed not-requested', n2: DONE }),
    commands: { 'n1 op': 2, 'n2 op': 1 },
  },
};

export const failedUncordoned: Story = {
  name: 'a command that fails before a reboot, with uncordonOnFailure',
  cluster: { nodes: nodes('n1', 'n2'), errands: fails('n1') },
  play: begins({ ...REBOOT, uncordonOnFailure: true, backoffLimit: 0 }),
  ends: operation('Failed', { n1: 'Failed JobFailed cancelled', n2: REBOOTED }),
};

export const stopped: Story = {
  name: 'a failure that stops the others',
  cluster: { nodes: nodes('n1', 'n2'), errands: fails('n1') },
  play: begins({ concurrency: 1, stopOnFailure: true, backoffLimit: 0 }),
  ends: operation('Failed', { n1: 'Failed JobFailed not-requested', n2: 'Pending Stopped not-requested' }),
};

export const drainTimeout: Story = {
  name: 'a drain that its budget never allows',
  cluster: {
    nodes: nodes('n1', 'n2'),
    workloads: WEB.workloads,
    budgets: [{ name: 'web', guards: 'web', maxUnavailable: 0 }],
  },
  play: begins({
    ...DRAIN,
    drainOptions: { enabled: true, timeoutSeconds: 40 },
    nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'n1' } },
  }),
  ends: operation('Failed', { n1: 'Failed DrainTimeout not-requested' }),
};

export const abreast: Story = {
  name: 'four nodes that drain and reboot, two at once',
  cluster: { nodes: nodes('n1', 'n2', 'n3', 'n4'), ...WEB },
  play: begins({ ...DRAIN, rebootOnSuccess: true, concurrency: 2 }),
  ends: operation('Completed', { n1: REBOOTED, n2: REBOOTED, n3: REBOOTED, n4: REBOOTED }),
};

export const single: Story = {
  name: 'the only node there is: nothing to drain to',
  cluster: { nodes: nodes('n1'), workloads: WEB.workloads },
  play: begins({ ...DRAIN, rebootOnSuccess: true }),
  ends: operation('Completed', { n1: REBOOTED }),
};

export const rivals: Story = {
  name: 'two operations that want the same nodes',
  cluster: { nodes: nodes('n1', 'n2') },
  play: cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { cordon: true }));
    cluster.apply(NODE_OP, nodeOp('other', { cordon: true, rebootOnSuccess: true, concurrency: 1 }));
  },
  ends: { operations: { op: { phase: 'Completed' }, other: { phase: 'Completed' } } },
};

const OLD = { '/etc/kairos-release': KAIROS_RELEASE };
const NEW_RELEASE = KAIROS_RELEASE.replace('v3.5.0', 'v3.6.0');
const IMAGES = {
  'registry.example/kairos:1': { release: KAIROS_RELEASE },
  'registry.example/kairos:2': { release: NEW_RELEASE },
};

export const upgraded: Story = {
  name: 'an upgrade of a control plane and a worker',
  cluster: {
    nodes: [
      { name: 'cp', controlPlane: true, files: OLD },
      { name: 'w1', files: OLD },
    ],
    images: IMAGES,
  },
  play: cluster => void cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('up', { image: 'registry.example/kairos:2' })),
  ends: {
    upgrades: { up: 'Completed' },
    operations: { up: { phase: 'Completed', nodes: { cp: REBOOTED, w1: REBOOTED } } },
  },
};

export const upToDate: Story = {
  name: 'an upgrade of nodes that are there already',
  cluster: { nodes: nodes('n1', 'n2'), images: IMAGES },
  play: cluster => void cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('up', { image: 'registry.example/kairos:1' })),
  ends: { upgrades: { up: 'Completed' }, commands: {} },
};

const deletedWhen =
  (spec: object, so: (cluster: FakeCluster) => boolean): Story['play'] =>
  async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', spec));
    await cluster.until(() => so(cluster), 600);
    removed(cluster);
  };

export const deletedInDrain: Story = {
  name: 'deleted while it drains',
  cluster: {
    nodes: nodes('n1', 'n2'),
    workloads: WEB.workloads,
    budgets: [{ name: 'web', guards: 'web', maxUnavailable: 0 }],
  },
  play: deletedWhen(DRAIN, cluster => cluster.nodeOp('op')?.status?.nodeStatuses?.n1?.reason === 'Draining'),
  ends: { operations: {}, jobs: [] },
};

export const deletedInJob: Story = {
  name: 'deleted while its command runs',
  cluster: {
    nodes: nodes('n1', 'n2'),
    errands: ({ container }) => (container.name === CONTAINERS.work ? { seconds: 300 } : undefined),
  },
  play: deletedWhen({ cordon: true }, cluster => ['n1', 'n2'].every(name => cluster.isRunning(name, CONTAINERS.work))),
  ends: { operations: {} },
};

export const deletedInReboot: Story = {
  name: 'deleted while its node is down',
  cluster: { nodes: nodes('n1') },
  play: deletedWhen(REBOOT, cluster => !cluster.machine('n1').up),
  ends: { operations: {}, nodes: { n1: { cordoned: false, downs: 'agent' } } },
};

export const powerCutInJob: Story = {
  name: 'somebody pulls the plug while the command runs',
  cluster: { nodes: nodes('n1', 'n2'), daemonSets: ['proxy'] },
  play: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', REBOOT));
    await cluster.until(() => cluster.isRunning('n1', CONTAINERS.work), 600);
    cluster.machine('n1').powerOff();
    await cluster.run(60);
    cluster.machine('n1').powerOn();
  },
  ends: { ...operation('Completed', { n1: REBOOTED, n2: REBOOTED }), commands: { 'n1 op': 2, 'n2 op': 1 } },
};

export const powerCutInReboot: Story = {
  name: 'somebody pulls the plug while the machine boots',
  cluster: { nodes: nodes('n1', 'n2'), daemonSets: ['proxy'] },
  play: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', REBOOT));
    await cluster.until(() => !cluster.machine('n1').up, 600);
    await cluster.run(5);
    cluster.machine('n1').powerOff();
    await cluster.run(60);
    cluster.machine('n1').powerOn();
  },
  ends: operation('Completed', { n1: REBOOTED, n2: REBOOTED }),
};
