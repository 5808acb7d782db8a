/** Stories of a node's life that are told calm, and again with mishaps. */
import { NODE_OP } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import { isFinal } from '../../controller/cluster/phases.js';
import { nodeOp } from '../fakes/cluster/objects.js';
import {
  abandons,
  FREE,
  joins,
  lasts,
  leaves,
  nodes,
  ONLY_N1,
  over,
  REBOOT,
  retry,
  running,
  until,
  WEB,
} from './lifecycle-setup.js';
import type { Story } from './story.js';

const DONE = 'Completed Done completed';
const MENDED = '/mended';

export const retried: Story = {
  name: 'a node that is drained and rebooted at the second attempt',
  cluster: {
    nodes: nodes('n1', 'n2'),
    ...WEB,
    errands: ({ container, machine }) => {
      if (container.name !== CONTAINERS.work) return undefined;
      return machine.host.files.has(MENDED) ? { seconds: 30 } : { seconds: 1, exitCode: 1 };
    },
  },
  play: async cluster => {
    await cluster.run(20);
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1, settleSeconds: 20, backoffLimit: 0 }));
    await over(cluster);
    await cluster.run(10);
    cluster.machine('n1').host.files.set(MENDED, '');
    retry(cluster);
    await until(cluster, () => !isFinal(cluster.nodeOp('op')?.status));
  },
  ends: {
    operations: { op: { phase: 'Completed', nodes: { n1: DONE } } },
    nodes: { n1: { ...FREE, downs: 'agent' } },
    commands: { 'n1 op': 2 },
  },
};

export const abandoned: Story = {
  name: 'abandoned while a machine is dead in its reboot, which comes back later',
  cluster: { nodes: nodes('n1', 'n2'), ...WEB },
  play: async cluster => {
    await cluster.run(20);
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1 }));
    const machine = cluster.machine('n1');
    await until(cluster, () => !machine.up);
    machine.powerOff();
    await cluster.run(60);
    abandons(cluster);
    await until(cluster, () => cluster.nodeOp('op') === undefined, 120);
    await cluster.run(30);
    machine.powerOn();
    await cluster.run(120);
  },
  ends: { operations: {}, nodes: { n1: { ...FREE, downs: 'agent' } }, jobsLeft: [], commands: { 'n1 op': 1 } },
};

export const vanished: Story = {
  name: 'a node that leaves in its walk and another that leaves before its turn, both for ever',
  cluster: { nodes: nodes('n1', 'n2', 'n3'), ...lasts(60) },
  play: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT }));
    await running(cluster, 'n1');
    leaves(cluster, 'n1');
    leaves(cluster, 'n3');
  },
  ends: {
    operations: {
      op: {
        phase: 'Failed',
        nodes: { n1: 'Failed NodeRemoved cancelled', n2: DONE, n3: 'Completed NodeRemoved not-requested' },
      },
    },
    commands: { 'n1 op': 1, 'n2 op': 1 },
  },
};

export const replaced: Story = {
  name: 'a node that registers again in its walk',
  cluster: { nodes: nodes('n1', 'n2'), ...WEB, ...lasts(60) },
  play: async cluster => {
    await cluster.run(20);
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1 }));
    await running(cluster, 'n1');
    leaves(cluster, 'n1');
    joins(cluster, { name: 'n1' });
  },
  ends: {
    operations: { op: { phase: 'Failed', nodes: { n1: 'Failed NodeReplaced cancelled' } } },
    nodes: { n1: { ...FREE, downs: '' } },
    commands: { 'n1 op': 1 },
  },
};
