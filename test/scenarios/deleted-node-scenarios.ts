/** Scenarios in which the Node of a machine is deleted while an operation reboots it, and the same machine registers again. */
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import { NODES } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { type NodeOptions, nodeOp } from '../fakes/cluster/object-builders.js';
import {
  nodesNamed,
  ONLY_N1,
  REBOOT,
  RELEASED,
  runUntil,
  untilCommandRuns,
  untilStep,
  WEB,
} from './lifecycle-setup.js';
import type { Scenario } from './scenario.js';

const DONE = 'Completed Done completed';
const AT = { name: 'n1' };

const deleteNode = (cluster: FakeCluster): void => cluster.delete(NODES, AT);

const untilDown = (cluster: FakeCluster): Promise<void> => runUntil(cluster, () => !cluster.machine('n1').up);

/** Longer than the Pods of a deleted Node exist. */
const PODS_GONE_SECONDS = 60;

/** Everything ends as if the Node had not been deleted. */
const rebootWithout = (
  name: string,
  meanwhile: Scenario['run'],
  { traits = {}, spec = {} }: { traits?: Partial<NodeOptions>; spec?: object } = {},
): Scenario => ({
  name,
  cluster: { nodes: nodesNamed('n1', 'n2').map(node => ({ ...node, ...traits })), ...WEB },
  run: async cluster => {
    await cluster.runFor(20);
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1, ...spec }));
    await meanwhile(cluster);
  },
  expected: {
    operations: { op: { phase: 'Completed', nodes: { n1: DONE } } },
    nodes: { n1: { ...RELEASED, shutdowns: 'agent' } },
    commands: { 'n1 op': 1 },
  },
});

const deletedWhileDown: Scenario['run'] = async cluster => {
  await untilDown(cluster);
  deleteNode(cluster);
};

export const whileDown = rebootWithout('deleted while its machine is down', deletedWhileDown);

export const beforeTheCall = rebootWithout('deleted when the reboot is requested', async cluster => {
  await untilStep(cluster, 'n1', 'Reboot');
  deleteNode(cluster);
});

export const beforeTheRequest = rebootWithout(
  'deleted after the command while no controller runs, and registered again when its kubelet restarts',
  async cluster => {
    await untilCommandRuns(cluster, 'n1');
    for (const controller of cluster.controllers) controller.stop();
    await cluster.runFor(30);
    deleteNode(cluster);
    await cluster.runFor(PODS_GONE_SECONDS);
    cluster.kubelet('n1').restart();
    await cluster.runFor(30);
    cluster.controllers[0]?.start();
  },
);

export const beforeTheAgent = rebootWithout(
  'deleted while its agent is down, and registered again before the reboot',
  async cluster => {
    await untilCommandRuns(cluster, 'n1');
    cluster.agents.get('n1')?.stop();
    await untilStep(cluster, 'n1', 'Reboot');
    deleteNode(cluster);
    await cluster.runFor(PODS_GONE_SECONDS);
    cluster.kubelet('n1').restart();
  },
);

export const afterTheBoot = rebootWithout('deleted after the boot, before its kubelet reports', async cluster => {
  await untilDown(cluster);
  await runUntil(cluster, () => cluster.machine('n1').up);
  deleteNode(cluster);
});

export const duringVerify = rebootWithout(
  'deleted after its reboot was seen, and registered again when its kubelet restarts',
  async cluster => {
    await untilStep(cluster, 'n1', 'Verify');
    deleteNode(cluster);
    await cluster.runFor(PODS_GONE_SECONDS);
    cluster.kubelet('n1').restart();
  },
  { spec: { settleSeconds: 30 } },
);

export const withItsNodeAgent = rebootWithout(
  'deleted together with its NodeAgent while its machine is down',
  async cluster => {
    await deletedWhileDown(cluster);
    cluster.api.forceRemove(NODE_AGENT, AT);
  },
);

/** Without firmware tables and with another machine ID in each boot, only the journal identifies the machine. */
export const withoutIds = rebootWithout(
  'deleted, of a machine that has neither a system UUID nor a lasting machine ID',
  deletedWhileDown,
  { traits: { systemUUID: null, keepsMachineId: false } },
);

/** As boards of some vendors have it. */
export const withSharedUUID = rebootWithout(
  'deleted, of a machine that has the same system UUID as another one',
  deletedWhileDown,
  { traits: { systemUUID: '1ad82a4c-2a18-11b2-a85c-82c3099c6263', keepsMachineId: false } },
);
