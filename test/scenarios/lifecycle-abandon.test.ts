/** A NodeOp is deleted while its node does not respond: how long the deletion waits, and what happens when the node is back. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { outcomeOf } from './outcome.js';
import {
  abandonNodeOp,
  SETTLED,
  deleteNodeOp,
  RELEASED,
  untilStep,
  commandLasting,
  nodesNamed,
  ONLY_N1,
  REBOOT,
  untilCommandRuns,
  runUntil,
} from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const DELETED = { ...SETTLED, operations: {}, nodes: { n1: RELEASED, n2: RELEASED }, jobsLeft: [] };
const CLAIMED = { cordoned: true, cordonMark: 'default/op', claimedBy: 'op' };

const HOUR = 3600;
/** Longer than a deletion takes that waits for nothing. */
const AT_ONCE = 30;
/** Time that the garbage collector needs. */
const GARBAGE_SECONDS = 1;

const isDeleted = (cluster: FakeCluster) => cluster.nodeOp('op') === undefined;
const currentOutcome = (cluster: FakeCluster) => outcomeOf(cluster, false);

const play = (meanwhile: Scenario['run'], spec: object = {}): Scenario => ({
  name: '',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...commandLasting(60) },
  run: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1, rebootTimeoutSeconds: 300, ...spec }));
    await meanwhile(cluster);
  },
  expected: {},
});

/** Cuts the power while the command runs. */
const powerCutDuringRun = async (cluster: FakeCluster) => {
  await untilCommandRuns(cluster, 'n1');
  cluster.machine('n1').powerOff();
  await cluster.runFor(60);
};

/** Cuts the power while the machine is down for its reboot. */
const powerCutDuringReboot = async (cluster: FakeCluster) => {
  await runUntil(cluster, () => !cluster.machine('n1').up);
  cluster.machine('n1').powerOff();
  await cluster.runFor(60);
};

/** Stops the agent before it observes the reboot request; the machine keeps running. */
const agentStopsBeforeReboot = async (cluster: FakeCluster) => {
  await untilCommandRuns(cluster, 'n1');
  cluster.agents.get('n1')?.stop();
  await untilStep(cluster, 'n1', 'Reboot');
};

async function recover(cluster: FakeCluster): Promise<void> {
  cluster.machine('n1').powerOn();
  await runUntil(cluster, () => cluster.machine('n1').up);
  cluster.agents.get('n1')?.start();
  await cluster.runFor(HOUR);
}

describe('a NodeOp deleted while its machine is down', () => {
  test('releases the node after rebootTimeoutSeconds when its Job was running', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await powerCutDuringRun(cluster);
        deleteNodeOp(cluster);
        await cluster.runFor(AT_ONCE);
        expect(currentOutcome(cluster)).toMatchObject({ nodes: { n1: CLAIMED }, operations: { op: {} } });
        await runUntil(cluster, () => isDeleted(cluster), 600);
        expect(cluster.machine('n1').up).toBe(false);
        await recover(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...DELETED, commands: { 'n1 op': 1 }, nodes: { n1: { shutdowns: 'power' } } });
  });

  test('releases the node at once with abandon when its Job was running, and never starts the command again', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await powerCutDuringRun(cluster);
        abandonNodeOp(cluster);
        await runUntil(cluster, () => isDeleted(cluster), AT_ONCE);
        await cluster.runFor(GARBAGE_SECONDS);
        expect(currentOutcome(cluster)).toMatchObject({ ...DELETED, settled: false });
        await recover(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...DELETED, commands: { 'n1 op': 1 }, nodes: { n1: { shutdowns: 'power' } } });
  });

  test('keeps the node claimed until the agent has responded when a reboot was under way', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await powerCutDuringReboot(cluster);
        deleteNodeOp(cluster);
        await cluster.runFor(3 * HOUR);
        expect(currentOutcome(cluster)).toMatchObject({ nodes: { n1: CLAIMED }, operations: { op: {} } });
        await recover(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...DELETED, nodes: { n1: { shutdowns: 'agent' } } });
  });

  test('releases the node at once with abandon when a reboot was under way, and never reboots it again', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await powerCutDuringReboot(cluster);
        abandonNodeOp(cluster);
        await runUntil(cluster, () => isDeleted(cluster), AT_ONCE);
        await cluster.runFor(GARBAGE_SECONDS);
        expect(currentOutcome(cluster)).toMatchObject({ ...DELETED, settled: false });
        await recover(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...DELETED, nodes: { n1: { shutdowns: 'agent' } } });
  });
});

describe('a NodeOp deleted while its agent is down and a reboot is requested', () => {
  test('keeps the node claimed until the agent has confirmed that it will not reboot', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await agentStopsBeforeReboot(cluster);
        deleteNodeOp(cluster);
        await cluster.runFor(3 * HOUR);
        expect(currentOutcome(cluster)).toMatchObject({ nodes: { n1: CLAIMED }, operations: { op: {} } });
        await recover(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...DELETED, nodes: { n1: { shutdowns: '' } } });
  });

  test('releases the node when it is abandoned after an hour, and never reboots it', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await agentStopsBeforeReboot(cluster);
        deleteNodeOp(cluster);
        await cluster.runFor(HOUR);
        abandonNodeOp(cluster);
        await runUntil(cluster, () => isDeleted(cluster), AT_ONCE);
        await cluster.runFor(GARBAGE_SECONDS);
        expect(currentOutcome(cluster)).toMatchObject({ ...DELETED, settled: false });
        await recover(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...DELETED, nodes: { n1: { shutdowns: '' } } });
  });
});

describe('a NodeOp deleted before it has started', () => {
  test('is deleted at once while it is paused', async () => {
    const { outcome } = await runScenario(
      play(
        async cluster => {
          await cluster.runFor(10);
          deleteNodeOp(cluster);
          await runUntil(cluster, () => isDeleted(cluster), 5);
        },
        { paused: true },
      ),
    );
    expect(outcome).toMatchObject({ ...DELETED, commands: {} });
  });

  test('never touches nodes that wait for their turn', async () => {
    const { outcome, cluster } = await runScenario(
      play(
        async it => {
          await untilCommandRuns(it, 'n1');
          deleteNodeOp(it);
        },
        { nodeSelector: {}, cordon: true },
      ),
    );
    expect(outcome).toMatchObject({ ...DELETED, commands: { 'n1 op': 1 }, nodes: { n2: { shutdowns: '' } } });
    expect(cluster.disruptions.some(({ node, claimedBy }) => node === 'n2' && claimedBy !== undefined)).toBe(false);
  });
});
