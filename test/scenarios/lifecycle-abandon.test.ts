/** A NodeOp is deleted while its node does not answer: how long that is waited for, and what happens when the node is back. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/objects.js';
import { endingOf } from './outcome.js';
import {
  abandons,
  CALM,
  deletes,
  FREE,
  isAt,
  lasts,
  nodes,
  ONLY_N1,
  REBOOT,
  running,
  until,
} from './lifecycle-setup.js';
import { tell } from './replay.js';
import type { Story } from './story.js';

const GONE = { ...CALM, operations: {}, nodes: { n1: FREE, n2: FREE }, jobsLeft: [] };
const HELD = { cordoned: true, mark: 'default/op', heldBy: 'op' };

const HOUR = 3600;
/** More than any step of a walk that waits for nobody takes. */
const AT_ONCE = 30;
/** Until what belongs to an object that is gone goes as well. */
const GARBAGE_SECONDS = 1;

const isGone = (cluster: FakeCluster) => cluster.nodeOp('op') === undefined;
const now = (cluster: FakeCluster) => endingOf(cluster, false);

const play = (meanwhile: Story['play'], spec: object = {}): Story => ({
  name: '',
  cluster: { nodes: nodes('n1', 'n2'), ...lasts(60) },
  play: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1, rebootTimeoutSeconds: 300, ...spec }));
    await meanwhile(cluster);
  },
  ends: {},
});

/** The machine dies while the command runs. */
const diesInRun = async (cluster: FakeCluster) => {
  await running(cluster, 'n1');
  cluster.machine('n1').powerOff();
  await cluster.run(60);
};

/** The machine goes down for its reboot, and its power is cut. */
const diesInReboot = async (cluster: FakeCluster) => {
  await until(cluster, () => !cluster.machine('n1').up);
  cluster.machine('n1').powerOff();
  await cluster.run(60);
};

/** The machine is well; only the agent is not there when its reboot is asked for. */
const agentDies = async (cluster: FakeCluster) => {
  await running(cluster, 'n1');
  cluster.agents.get('n1')?.leave();
  await isAt(cluster, 'n1', 'Reboot');
};

async function comesBack(cluster: FakeCluster): Promise<void> {
  cluster.machine('n1').powerOn();
  await until(cluster, () => cluster.machine('n1').up);
  cluster.agents.get('n1')?.start();
  await cluster.run(HOUR);
}

describe('deleted while the machine is dead', () => {
  test('in its Job: freed when rebootTimeoutSeconds are over', async () => {
    const { ending } = await tell(
      play(async cluster => {
        await diesInRun(cluster);
        deletes(cluster);
        await cluster.run(AT_ONCE);
        expect(now(cluster)).toMatchObject({ nodes: { n1: HELD }, operations: { op: {} } });
        await until(cluster, () => isGone(cluster), 600);
        expect(cluster.machine('n1').up).toBe(false);
        await comesBack(cluster);
      }),
    );
    expect(ending).toMatchObject({ ...GONE, commands: { 'n1 op': 1 }, nodes: { n1: { downs: 'power' } } });
  });

  test('in its Job, with abandon: freed at once, and the command never starts again', async () => {
    const { ending } = await tell(
      play(async cluster => {
        await diesInRun(cluster);
        abandons(cluster);
        await until(cluster, () => isGone(cluster), AT_ONCE);
        await cluster.run(GARBAGE_SECONDS);
        expect(now(cluster)).toMatchObject({ ...GONE, settled: false });
        await comesBack(cluster);
      }),
    );
    expect(ending).toMatchObject({ ...GONE, commands: { 'n1 op': 1 }, nodes: { n1: { downs: 'power' } } });
  });

  test('in its reboot: kept until it has answered, however long that takes', async () => {
    const { ending } = await tell(
      play(async cluster => {
        await diesInReboot(cluster);
        deletes(cluster);
        await cluster.run(3 * HOUR);
        expect(now(cluster)).toMatchObject({ nodes: { n1: HELD }, operations: { op: {} } });
        await comesBack(cluster);
      }),
    );
    expect(ending).toMatchObject({ ...GONE, nodes: { n1: { downs: 'agent' } } });
  });

  test('in its reboot, with abandon: freed at once, and never rebooted again', async () => {
    const { ending } = await tell(
      play(async cluster => {
        await diesInReboot(cluster);
        abandons(cluster);
        await until(cluster, () => isGone(cluster), AT_ONCE);
        await cluster.run(GARBAGE_SECONDS);
        expect(now(cluster)).toMatchObject({ ...GONE, settled: false });
        await comesBack(cluster);
      }),
    );
    expect(ending).toMatchObject({ ...GONE, nodes: { n1: { downs: 'agent' } } });
  });
});

describe('deleted while the agent is dead and a reboot was asked for', () => {
  test('kept until the agent has said that it will not happen', async () => {
    const { ending } = await tell(
      play(async cluster => {
        await agentDies(cluster);
        deletes(cluster);
        await cluster.run(3 * HOUR);
        expect(now(cluster)).toMatchObject({ nodes: { n1: HELD }, operations: { op: {} } });
        await comesBack(cluster);
      }),
    );
    expect(ending).toMatchObject({ ...GONE, nodes: { n1: { downs: '' } } });
  });

  test('abandoned only after an hour of waiting: freed then, and never rebooted', async () => {
    const { ending } = await tell(
      play(async cluster => {
        await agentDies(cluster);
        deletes(cluster);
        await cluster.run(HOUR);
        abandons(cluster);
        await until(cluster, () => isGone(cluster), AT_ONCE);
        await cluster.run(GARBAGE_SECONDS);
        expect(now(cluster)).toMatchObject({ ...GONE, settled: false });
        await comesBack(cluster);
      }),
    );
    expect(ending).toMatchObject({ ...GONE, nodes: { n1: { downs: '' } } });
  });
});

describe('deleted before anything was begun', () => {
  test('a paused operation is gone at once', async () => {
    const { ending } = await tell(
      play(
        async cluster => {
          await cluster.run(10);
          deletes(cluster);
          await until(cluster, () => isGone(cluster), 5);
        },
        { paused: true },
      ),
    );
    expect(ending).toMatchObject({ ...GONE, commands: {} });
  });

  test('nodes that wait for their turn are never touched', async () => {
    const { ending, cluster } = await tell(
      play(
        async it => {
          await running(it, 'n1');
          deletes(it);
        },
        { nodeSelector: {}, cordon: true },
      ),
    );
    expect(ending).toMatchObject({ ...GONE, commands: { 'n1 op': 1 }, nodes: { n2: { downs: '' } } });
    expect(cluster.disruptions.some(({ node, heldBy }) => node === 'n2' && heldBy !== undefined)).toBe(false);
  });
});
