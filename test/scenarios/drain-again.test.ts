/** Pods that come onto a node between its drain and its reboot. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { NODES, PDBS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { budgetObject, nodeOp, replicaSetObject, type WorkloadOptions } from '../fakes/cluster/object-builders.js';
import { REPLICA_SETS } from '../fakes/cluster/workload-controllers.js';
import {
  nodeMessage,
  nodesNamed,
  ONLY_N1,
  REBOOT,
  RELEASED,
  runUntil,
  SETTLED,
  untilCommandRuns,
} from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const scenario = (meanwhile: Scenario['run']): Scenario => ({
  name: '',
  cluster: { nodes: nodesNamed('n1', 'n2') },
  run: async it => {
    await it.runFor(20);
    it.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1 }));
    await untilCommandRuns(it, 'n1');
    await meanwhile(it);
  },
  expected: {},
});

const REBOOTED = {
  ...SETTLED,
  operations: { op: { phase: 'Completed', nodes: { n1: 'Completed Done completed' } } },
  nodes: { n1: { ...RELEASED, shutdowns: 'agent' } },
};

const deploy = ({ api }: FakeCluster, workload: WorkloadOptions) => api.put(REPLICA_SETS, replicaSetObject(workload));

const evictionsOf = ({ mutations }: FakeCluster, app: string): string[] =>
  mutations.map(({ name }) => name).filter(name => name.startsWith(`evict pod ${app}-`));

describe('before the reboot', () => {
  test('a pod that was bound to the cordoned node while its command ran is evicted, as its budget allows', async () => {
    const { outcome, cluster } = await runScenario(
      scenario(async it => {
        it.api.put(PDBS, budgetObject({ name: 'late', workload: 'late', maxUnavailable: 0 }));
        deploy(it, { name: 'late', replicas: 1, pinnedTo: 'n1' });
        await runUntil(it, () => /^before the reboot: waiting for default\/late-/.test(nodeMessage(it)));
        await it.runFor(60);
        expect(it.machine('n1').up).toBe(true);
        expect(nodeMessage(it)).toContain('budget');
        it.delete(PDBS, { name: 'late', namespace: 'default' });
      }),
    );
    expect(outcome).toMatchObject(REBOOTED);
    expect(new Set(evictionsOf(cluster, 'late')).size).toBe(1);
  });

  test('pods are evicted that were scheduled to a Node which was registered anew without its cordon', async () => {
    const { outcome, cluster } = await runScenario(
      scenario(async it => {
        for (const controller of it.controllers) controller.stop();
        await it.runFor(30);
        it.delete(NODES, { name: 'n1' });
        await it.runFor(60);
        it.kubelet('n1').restart();
        await it.runFor(30);
        deploy(it, { name: 'late', replicas: 2 });
        await it.runFor(10);
        it.controllers[0]?.start();
      }),
    );
    expect(outcome).toMatchObject(REBOOTED);
    expect(new Set(evictionsOf(cluster, 'late')).size).toBe(1);
  });
});
