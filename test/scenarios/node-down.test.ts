/** A machine that never comes back from its reboot, while its Node stays. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { ledgerOf, nodesNamed, REBOOT, RELEASED, runUntil, SETTLED, untilFinished } from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const DONE = 'Completed Done completed';

/** An operation over three nodes, one at a time, the first of which is down for good. */
const scenario = (spec: object, meanwhile: Scenario['run']): Scenario => ({
  name: '',
  cluster: { nodes: nodesNamed('n1', 'n2', 'n3') },
  run: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, rebootTimeoutSeconds: 600, ...spec }));
    await runUntil(cluster, () => !cluster.machine('n1').up);
    cluster.machine('n1').powerOff();
    await meanwhile(cluster);
  },
  expected: {},
});

const phases = (cluster: FakeCluster) =>
  ['n1', 'n2', 'n3'].map(name => cluster.nodeOp('op')?.status?.nodeStatuses?.[name]?.phase);

describe('a machine that never comes back', () => {
  test('holds its slot until rebootTimeoutSeconds, then counts as failed, and the others go on', async () => {
    const { outcome, cluster } = await runScenario(
      scenario({}, async it => {
        await it.runFor(590);
        expect(phases(it)).toEqual(['Running', 'Pending', 'Pending']);
        expect(it.nodeOp('op')?.status?.nodes).toMatchObject({ active: 1, failed: 0 });
        await it.runFor(60);
        expect(it.nodeOp('op')?.status?.nodes).toMatchObject({ active: 1, failed: 1 });
        await untilFinished(it);
      }),
    );
    expect(outcome).toMatchObject({
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed Unreachable cancelled', n2: DONE, n3: DONE } } },
      nodes: { n1: { cordoned: true, claimedBy: 'op', shutdowns: 'agent' }, n2: RELEASED, n3: RELEASED },
    });
    expect(ledgerOf(cluster, 'n1')).toMatchObject({ step: 'Withdraw', rebootWithdrawn: true });
  });

  test('stops the others with stopOnFailure', async () => {
    const { outcome, cluster } = await runScenario(scenario({ stopOnFailure: true }, untilFinished));
    expect(phases(cluster)).toEqual(['Failed', 'Pending', 'Pending']);
    expect(outcome.commands).toEqual({ 'n1 op': 1 });
  });

  test('is released when it comes back after the end of the operation, and is not rebooted again', async () => {
    const { outcome } = await runScenario(
      scenario({}, async it => {
        await untilFinished(it);
        expect(ledgerOf(it, 'n1')).toBeDefined();
        it.machine('n1').powerOn();
      }),
    );
    expect(outcome).toMatchObject({
      ...SETTLED,
      operations: { op: { nodes: { n1: 'Failed Unreachable cancelled' } } },
      nodes: { n1: { claimedBy: undefined, cordoned: true, shutdowns: 'agent' } },
    });
  });
});
