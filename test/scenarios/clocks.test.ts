/** The machines of the controllers and of the nodes have clocks of their own: no deadline passes earlier or later for it. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { nodeMessage, nodesNamed, ONLY_N1, REBOOT, runUntil, untilStep, WEB } from './lifecycle-setup.js';

const SKEWS = [
  ['five minutes ahead', 5 * 60_000],
  ['two days ahead', 48 * 3_600_000],
  ['an hour behind', -3_600_000],
] as const;

/** The machine of the second controller is ahead by `skewMs`. A drain waits for a budget, which no Pod may break, until its timeout of 300 s. */
async function drainingCluster(skewMs: number): Promise<FakeCluster> {
  const budgets = [{ name: 'web', workload: 'web', maxUnavailable: 0 }];
  const cluster = fakeCluster({
    nodes: nodesNamed('n1', 'n2'),
    ...WEB,
    budgets,
    clockOffsets: { 'controller-b': skewMs / 1000 },
  });
  await cluster.start();
  await cluster.runFor(20);
  cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1 }));
  await untilStep(cluster, 'n1', 'Drain');
  return cluster;
}

/** The second replica leads from now on. */
function changeLeader(cluster: FakeCluster): void {
  const [first, second] = cluster.controllers;
  second?.start();
  first?.stop();
}

const phaseOf = (cluster: FakeCluster) => cluster.nodeOp('op')?.status?.nodeStatuses?.n1?.phase;

describe('a leader whose clock is', () => {
  test.each(SKEWS)('%s continues a drain until its own timeout', async (_how, skewMs) => {
    const cluster = await drainingCluster(skewMs);
    const startedAt = cluster.clock.monotonic();
    await cluster.runFor(60);
    changeLeader(cluster);
    await cluster.runFor(180);
    expect([phaseOf(cluster), nodeMessage(cluster)]).toEqual(['Running', expect.stringContaining('draining since')]);
    await runUntil(cluster, () => phaseOf(cluster) === 'Failed');
    const seconds = (cluster.clock.monotonic() - startedAt) / 1000;
    expect(seconds).toBeGreaterThan(290);
    expect(seconds).toBeLessThan(330);
  });
});
