/** Nodes that come, go, come back as another, or change what they are, while an operation runs. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import type { StepName } from '../../api/node-status.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/objects.js';
import {
  CALM,
  DRAIN,
  FREE,
  everCordoned,
  holders,
  isAt,
  joins,
  label,
  lasts,
  leaves,
  nodes,
  over,
  REBOOT,
  running,
  uidOf,
  WEB,
} from './lifecycle-setup.js';
import { tell } from './replay.js';
import type { Story } from './story.js';

const DONE = 'Completed Done not-requested';
const ONE_BY_ONE = { cordon: true, concurrency: 1 };

const story = (cluster: Story['cluster'], play: Story['play']): Story => ({ name: '', cluster, play, ends: {} });
const begins = (cluster: FakeCluster, spec: object) => void cluster.apply(NODE_OP, nodeOp('op', spec));

describe('a node that joins during the run', () => {
  test('is never touched', async () => {
    const { ending, cluster } = await tell(
      story({ nodes: nodes('n1', 'n2', 'n3'), ...lasts(60) }, async it => {
        leaves(it, 'n3');
        await it.run(10);
        begins(it, ONE_BY_ONE);
        await running(it, 'n1');
        joins(it, { name: 'n3' });
      }),
    );
    expect(ending).toMatchObject({
      ...CALM,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: DONE } } },
    });
    expect(Object.keys(ending.commands)).toEqual(['n1 op', 'n2 op']);
    expect(holders(cluster, 'n3')).toEqual([]);
    expect(everCordoned(cluster, uidOf(cluster, 'n3'))).toBe(false);
  });
});

describe('a node that leaves before its turn', () => {
  test('and comes back runs', async () => {
    const { ending } = await tell(
      story({ nodes: nodes('n1', 'n2'), ...lasts(60) }, async it => {
        begins(it, ONE_BY_ONE);
        await running(it, 'n1');
        leaves(it, 'n2');
        await it.run(20);
        joins(it, { name: 'n2' });
      }),
    );
    expect(ending).toMatchObject({
      ...CALM,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: DONE } } },
      commands: { 'n1 op': 1, 'n2 op': 1 },
      nodes: { n1: FREE, n2: FREE },
    });
  });

  test('and never comes back ends as done with, for nothing was done there', async () => {
    const { ending, cluster } = await tell(
      story({ nodes: nodes('n1', 'n2'), ...lasts(60) }, async it => {
        begins(it, ONE_BY_ONE);
        await running(it, 'n1');
        leaves(it, 'n2');
      }),
    );
    expect(ending).toMatchObject({
      ...CALM,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: 'Completed NodeRemoved not-requested' } } },
      commands: { 'n1 op': 1 },
    });
    expect(cluster.nodeOp('op')?.status?.nodes).toMatchObject({ total: 2, completed: 2, skipped: 1, failed: 0 });
  });

  test('and comes back only when all is over is left alone until a retry', async () => {
    const { ending, cluster } = await tell(
      story({ nodes: nodes('n1', 'n2') }, async it => {
        begins(it, ONE_BY_ONE);
        await running(it, 'n1');
        leaves(it, 'n2');
        await over(it);
        joins(it, { name: 'n2' });
        await it.run(120);
      }),
    );
    expect(ending).toMatchObject({ ...CALM, commands: { 'n1 op': 1 } });
    expect(holders(cluster, 'n2')).toEqual([]);
  });
});

describe('a node that registers again in the middle of its walk', () => {
  const STEPS: [StepName, string, object, number][] = [
    ['Drain', 'without a reboot', DRAIN, 0],
    ['Run', 'without a reboot', DRAIN, 0],
    ['Run', 'before a reboot', REBOOT, 0],
    ['Reboot', 'just asked for', REBOOT, 1],
    ['Verify', 'after it', { ...REBOOT, settleSeconds: 30 }, 1],
  ];
  test.each(STEPS)(
    'at %s, %s, ends that walk, and the new one is neither cordoned nor claimed',
    async (step, _words, spec, mostDowns) => {
      let claimsBefore: string[] = [];
      const { ending, cluster } = await tell(
        story({ nodes: nodes('n1', 'n2'), ...WEB, ...lasts(60) }, async it => {
          await it.run(20);
          begins(it, { ...spec, concurrency: 1 });
          await isAt(it, 'n1', step);
          claimsBefore = holders(it, 'n1');
          leaves(it, 'n1');
          joins(it, { name: 'n1' });
        }),
      );
      expect(ending).toMatchObject({
        ...CALM,
        operations: { op: { phase: 'Failed', nodes: { n1: expect.stringMatching(/^Failed NodeReplaced/) } } },
        nodes: { n1: FREE, n2: FREE },
      });
      expect(holders(cluster, 'n1')).toEqual(claimsBefore);
      expect(everCordoned(cluster, uidOf(cluster, 'n1'))).toBe(false);
      expect(cluster.machine('n1').downs.length).toBeLessThanOrEqual(mostDowns);
      expect(cluster.isRunning('n1', 'nodeop')).toBe(false);
    },
  );
});

describe('labels that change during the run', () => {
  test('make no target of a node, and no other thing of one that is a target', async () => {
    const [a, b] = [{ pool: 'a' }, { pool: 'b' }];
    const { ending, cluster } = await tell(
      story(
        {
          nodes: [
            { name: 'n1', labels: a },
            { name: 'n2', labels: a },
            { name: 'n3', labels: b },
          ],
          ...lasts(30),
        },
        async it => {
          begins(it, { ...ONE_BY_ONE, nodeSelector: { matchLabels: a } });
          await running(it, 'n1');
          label(it, 'n1', { pool: null });
          label(it, 'n2', b);
          label(it, 'n3', a);
        },
      ),
    );
    expect(ending).toMatchObject({
      ...CALM,
      operations: { op: { phase: 'Completed', nodes: { n1: DONE, n2: DONE } } },
      nodes: { n1: FREE, n2: FREE, n3: FREE },
    });
    expect(Object.keys(ending.commands)).toEqual(['n1 op', 'n2 op']);
    expect(holders(cluster, 'n3')).toEqual([]);
  });
});
