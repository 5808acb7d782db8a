/** A NodeOp is deleted while its node does not answer: how long that is waited for, and what happens when the node is back. */
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

const GONE = { ...SETTLED, operations: {}, nodes: { n1: RELEASED, n2: RELEASED }, jobsLeft: [] };
const HELD = { cordoned: true, cordonMark: 'default/op', claimedBy: 'op' };

const HOUR = 3600;
/** More than any step of a walk that waits for nobody takes. */
const AT_ONCE = 30;
/** Until what belongs to an object that is gone goes as well. */
const GARBAGE_SECONDS = 1;

const isGone = (cluster: FakeCluster) => cluster.nodeOp('op') === undefined;
const now = (cluster: FakeCluster) => outcomeOf(cluster, false);

const play = (meanwhile: Scenario['run'], spec: object = {}): Scenario => ({
  name: '',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...commandLasting(60) },
  run: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1, rebootTimeoutSeconds: 300, ...spec }));
    await meanwhile(cluster);
  },
  expected: {},
});

/** The machine dies while the command runs. */
const diesInRun = async (cluster: FakeCluster) => {
  await untilCommandRuns(cluster, 'n1');
  cluster.machine('n1').powerOff();
  await cluster.runFor(60);
};

/** The machine goes down for its reboot, and its power is cut. */
const diesInReboot = async (cluster: FakeCluster) => {
  await runUntil(cluster, () => !cluster.machine('n1').up);
  cluster.machine('n1').powerOff();
  await cluster.runFor(60);
};

/** The machine is well; only the agent is not there when its reboot is asked for. */
const agentDies = async (cluster: FakeCluster) => {
  await untilCommandRuns(cluster, 'n1');
  cluster.agents.get('n1')?.stop();
  await untilStep(cluster, 'n1', 'Reboot');
};

async function comesBack(cluster: FakeCluster): Promise<void> {
  cluster.machine('n1').powerOn();
  await runUntil(cluster, () => cluster.machine('n1').up);
  cluster.agents.get('n1')?.start();
  await cluster.runFor(HOUR);
}

describe('deleted while the machine is dead', () => {
  test('in its Job: freed when rebootTimeoutSeconds are over', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await diesInRun(cluster);
        deleteNodeOp(cluster);
        await cluster.runFor(AT_ONCE);
        expect(now(cluster)).toMatchObject({ nodes: { n1: HELD }, operations: { op: {} } });
        await runUntil(cluster, () => isGone(cluster), 600);
        expect(cluster.machine('n1').up).toBe(false);
        await comesBack(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...GONE, commands: { 'n1 op': 1 }, nodes: { n1: { shutdowns: 'power' } } });
  });

  test('in its Job, with abandon: freed at once, and the command never starts again', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await diesInRun(cluster);
        abandonNodeOp(cluster);
        await runUntil(cluster, () => isGone(cluster), AT_ONCE);
        await cluster.runFor(GARBAGE_SECONDS);
        expect(now(cluster)).toMatchObject({ ...GONE, settled: false });
        await comesBack(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...GONE, commands: { 'n1 op': 1 }, nodes: { n1: { shutdowns: 'power' } } });
  });

  test('in its reboot: kept until it has answered, however long that takes', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await diesInReboot(cluster);
        deleteNodeOp(cluster);
        await cluster.runFor(3 * HOUR);
        expect(now(cluster)).toMatchObject({ nodes: { n1: HELD }, operations: { op: {} } });
        await comesBack(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...GONE, nodes: { n1: { shutdowns: 'agent' } } });
  });

  test('in its reboot, with abandon: freed at once, and never rebooted again', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await diesInReboot(cluster);
        abandonNodeOp(cluster);
        await runUntil(cluster, () => isGone(cluster), AT_ONCE);
        await cluster.runFor(GARBAGE_SECONDS);
        expect(now(cluster)).toMatchObject({ ...GONE, settled: false });
        await comesBack(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...GONE, nodes: { n1: { shutdowns: 'agent' } } });
  });
});

describe('deleted while the agent is dead and a reboot was asked for', () => {
  test('kept until the agent has said that it will not happen', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await agentDies(cluster);
        deleteNodeOp(cluster);
        await cluster.runFor(3 * HOUR);
        expect(now(cluster)).toMatchObject({ nodes: { n1: HELD }, operations: { op: {} } });
        await comesBack(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...GONE, nodes: { n1: { shutdowns: '' } } });
  });

  test('abandoned only after an hour of waiting: freed then, and never rebooted', async () => {
    const { outcome } = await runScenario(
      play(async cluster => {
        await agentDies(cluster);
        deleteNodeOp(cluster);
        await cluster.runFor(HOUR);
        abandonNodeOp(cluster);
        await runUntil(cluster, () => isGone(cluster), AT_ONCE);
        await cluster.runFor(GARBAGE_SECONDS);
        expect(now(cluster)).toMatchObject({ ...GONE, settled: false });
        await comesBack(cluster);
      }),
    );
    expect(outcome).toMatchObject({ ...GONE, nodes: { n1: { shutdowns: '' } } });
  });
});

describe('deleted before anything was begun', () => {
  test('a paused operation is gone at once', async () => {
    const { outcome } = await runScenario(
      play(
        async cluster => {
          await cluster.runFor(10);
          deleteNodeOp(cluster);
          await runUntil(cluster, () => isGone(cluster), 5);
        },
        { paused: true },
      ),
    );
    expect(outcome).toMatchObject({ ...GONE, commands: {} });
  });

  test('nodes that wait for their turn are never touched', async () => {
    const { outcome, cluster } = await runScenario(
      play(
        async it => {
          await untilCommandRuns(it, 'n1');
          deleteNodeOp(it);
        },
        { nodeSelector: {}, cordon: true },
      ),
    );
    expect(outcome).toMatchObject({ ...GONE, commands: { 'n1 op': 1 }, nodes: { n2: { shutdowns: '' } } });
    expect(cluster.disruptions.some(({ node, claimedBy }) => node === 'n2' && claimedBy !== undefined)).toBe(false);
  });
});
