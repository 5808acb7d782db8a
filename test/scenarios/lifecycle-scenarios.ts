/** Scenarios in which nodes and operations change during a run; they run without faults, and again with injected faults. */
import { NODE_OP } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import { isFinal } from '../../controller/cluster/phases.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import {
  abandonNodeOp,
  RELEASED,
  registerNode,
  commandLasting,
  removeNode,
  nodesNamed,
  ONLY_N1,
  untilFinished,
  REBOOT,
  retry,
  untilCommandRuns,
  runUntil,
  WEB,
} from './lifecycle-setup.js';
import type { Scenario } from './scenario.js';

const DONE = 'Completed Done completed';
const REPAIRED_FILE = '/repaired';

export const retried: Scenario = {
  name: 'a node that is drained and rebooted on the second attempt',
  cluster: {
    nodes: nodesNamed('n1', 'n2'),
    ...WEB,
    behavior: ({ container, machine }) => {
      if (container.name !== CONTAINERS.work) return undefined;
      return machine.host.files.has(REPAIRED_FILE) ? { seconds: 30 } : { seconds: 1, exitCode: 1 };
    },
  },
  run: async cluster => {
    await cluster.runFor(20);
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1, settleSeconds: 20, backoffLimit: 0 }));
    await untilFinished(cluster);
    await cluster.runFor(10);
    cluster.machine('n1').host.files.set(REPAIRED_FILE, '');
    retry(cluster);
    await runUntil(cluster, () => !isFinal(cluster.nodeOp('op')?.status));
  },
  expected: {
    operations: { op: { phase: 'Completed', nodes: { n1: DONE } } },
    nodes: { n1: { ...RELEASED, shutdowns: 'agent' } },
    commands: { 'n1 op': 2 },
  },
};

export const abandoned: Scenario = {
  name: 'a NodeOp abandoned while its machine is down during a reboot and comes back later',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...WEB },
  run: async cluster => {
    await cluster.runFor(20);
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1 }));
    const machine = cluster.machine('n1');
    await runUntil(cluster, () => !machine.up);
    machine.powerOff();
    await cluster.runFor(60);
    abandonNodeOp(cluster);
    await runUntil(cluster, () => cluster.nodeOp('op') === undefined, 120);
    await cluster.runFor(30);
    machine.powerOn();
    await cluster.runFor(120);
  },
  expected: {
    operations: {},
    nodes: { n1: { ...RELEASED, shutdowns: 'agent' } },
    jobsLeft: [],
    commands: { 'n1 op': 1 },
  },
};

export const vanished: Scenario = {
  name: 'a node removed while its command runs and another removed before its turn',
  cluster: { nodes: nodesNamed('n1', 'n2', 'n3'), ...commandLasting(60) },
  run: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT }));
    await untilCommandRuns(cluster, 'n1');
    removeNode(cluster, 'n1');
    removeNode(cluster, 'n3');
  },
  expected: {
    operations: {
      op: {
        phase: 'Failed',
        nodes: { n1: 'Failed NodeRemoved cancelled', n2: DONE, n3: 'Completed NodeRemoved not-requested' },
      },
    },
    commands: { 'n1 op': 1, 'n2 op': 1 },
  },
};

export const replaced: Scenario = {
  name: 'a node that is replaced while its command runs',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...WEB, ...commandLasting(60) },
  run: async cluster => {
    await cluster.runFor(20);
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1 }));
    await untilCommandRuns(cluster, 'n1');
    removeNode(cluster, 'n1');
    registerNode(cluster, { name: 'n1' });
  },
  expected: {
    operations: { op: { phase: 'Failed', nodes: { n1: 'Failed NodeReplaced cancelled' } } },
    nodes: { n1: { ...RELEASED, shutdowns: '' } },
    commands: { 'n1 op': 1 },
  },
};
