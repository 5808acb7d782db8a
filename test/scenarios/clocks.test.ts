/** The machines of the controllers and of the nodes have clocks of their own: no deadline passes earlier or later for it. */
import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import type { NodeAgent } from '../../api/objects.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { CLOCK_CASES, crashEvery, OFFSETS, resultWith } from './clocks-cases.js';
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

/** Deadlines are found by a resync or by a watch event, which may come a little earlier or later. */
const TOLERANCE_SECONDS = 5;

describe.each(CLOCK_CASES)('an operation whose $title', clockCase => {
  let known: ReturnType<typeof resultWith> | undefined;
  const agreeing = () => (known ??= resultWith(clockCase, {}));

  test('ends as expected while all clocks agree', async () => {
    const { end, seconds } = await agreeing();
    const [earliest, latest] = clockCase.seconds;
    expect(end).toBe(clockCase.end);
    expect(seconds).toBeGreaterThanOrEqual(earliest);
    expect(seconds).toBeLessThanOrEqual(latest);
  });

  test.each(OFFSETS)('ends in the same way, after the same time, while $title', async ({ offsets }) => {
    const right = await agreeing();
    const { end, seconds } = await resultWith(clockCase, offsets);
    expect(end).toBe(right.end);
    expect(Math.abs(seconds - right.seconds)).toBeLessThanOrEqual(TOLERANCE_SECONDS);
  });
});

/** Long enough for a restarted controller to lead again and to make some passes. */
const CRASH_SECONDS = 20;

/** At most, a deadline is noticed after the next restart. */
const NOTICED_SECONDS = CRASH_SECONDS + 15;

describe('a controller that crashes again and again', () => {
  const endless = CLOCK_CASES.filter(({ end }) => end.startsWith('Failed'));

  test.each(endless)('still ends an operation whose $title in time', async clockCase => {
    const right = await resultWith(clockCase, {});
    const { end, seconds } = await resultWith(clockCase, {}, cluster => crashEvery(cluster, CRASH_SECONDS));
    expect(end).toBe(right.end);
    expect(seconds).toBeGreaterThanOrEqual(right.seconds - TOLERANCE_SECONDS);
    expect(seconds).toBeLessThanOrEqual(right.seconds + NOTICED_SECONDS);
  });
});

test.each(SKEWS)(
  'an agent on a node that is %s reports its boot by the clock of the API server',
  async (_how, skewMs) => {
    const cluster = fakeCluster({ nodes: [{ name: 'n1', clockOffsetSeconds: skewMs / 1000 }] });
    const startedAt = cluster.clock.now().getTime();
    await cluster.start();
    const since = cluster.api.find<NodeAgent>(NODE_AGENT, { name: 'n1' })?.status?.boot?.since ?? '';
    expect(Math.abs(Date.parse(since) - startedAt)).toBeLessThanOrEqual(TOLERANCE_SECONDS * 1000);
  },
);
