/** The mark of a cordon outlives its operation: who takes it over, who undoes it, who leaves it. */
import { expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/objects.js';
import { byHand, CALM, DRAIN, FREE, nodes, ONLY_N1, OP, over, REBOOT } from './lifecycle-setup.js';
import { tell } from './replay.js';
import type { Story } from './story.js';

const MARK = 'default/op';
const KEPT = { cordoned: true, mark: MARK, heldBy: undefined };

/** The command of `op` fails, that of any other operation does not. */
const after = (then: (cluster: FakeCluster) => Promise<void> | void, spec: object = DRAIN): Story => ({
  name: 'after an operation that failed',
  cluster: {
    nodes: nodes('n1', 'n2'),
    errands: ({ container, pod }) =>
      container.name === CONTAINERS.work && pod.metadata.labels?.['kairos.io/nodeop'] === 'op'
        ? { seconds: 1, exitCode: 1 }
        : undefined,
  },
  play: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { ...spec, ...ONLY_N1, backoffLimit: 0 }));
    await over(cluster);
    await cluster.run(30);
    await then(cluster);
  },
  ends: {},
});

const next = (spec: object) => (cluster: FakeCluster) =>
  void cluster.apply(NODE_OP, nodeOp('next', { ...spec, ...ONLY_N1 }));

test('the mark of an operation that failed stays, for inspection', async () => {
  const { ending } = await tell(after(cluster => cluster.run(3600)));
  expect(ending).toMatchObject({ ...CALM, operations: { op: { phase: 'Failed' } }, nodes: { n1: KEPT, n2: FREE } });
});

test.each([
  ['cordons', { cordon: true }],
  ['drains', DRAIN],
  ['reboots', REBOOT],
])('the next operation that %s takes it over and undoes it', async (_words, spec) => {
  const { ending, cluster } = await tell(after(next(spec)));
  expect(ending).toMatchObject({
    ...CALM,
    operations: { next: { phase: 'Completed' } },
    nodes: { n1: FREE, n2: FREE },
  });
  const marks = cluster.disruptions
    .filter(({ node }) => node === 'n1')
    .map(({ cordonedBy }) => cordonedBy?.replace(/@.*/, ''));
  expect([...new Set(marks)]).toEqual([undefined, MARK, 'default/next']);
});

test('the next operation that does not cordon leaves it', async () => {
  const { ending } = await tell(after(next({})));
  expect(ending).toMatchObject({ ...CALM, operations: { next: { phase: 'Completed' } }, nodes: { n1: KEPT } });
});

test('somebody cordons the node by hand: it is used as it is and stays cordoned', async () => {
  const { ending } = await tell({
    ...after(() => undefined),
    play: cluster => {
      byHand(cluster, 'n1', true);
      next(DRAIN)(cluster);
    },
  });
  expect(ending).toMatchObject({
    ...CALM,
    operations: { next: { phase: 'Completed' } },
    nodes: { n1: { cordoned: true, mark: undefined, heldBy: undefined } },
  });
});

test('somebody uncordons the marked node by hand: the next operation leaves neither cordon nor mark', async () => {
  const { ending } = await tell(
    after(cluster => {
      byHand(cluster, 'n1', false);
      next(DRAIN)(cluster);
    }),
  );
  expect(ending).toMatchObject({ ...CALM, operations: { next: { phase: 'Completed' } }, nodes: { n1: FREE } });
});

test('the operation is deleted: its mark is undone', async () => {
  const { ending } = await tell(after(cluster => cluster.delete(NODE_OP, OP)));
  expect(ending).toMatchObject({ ...CALM, operations: {}, nodes: { n1: FREE } });
});

test('the operation is deleted while no controller runs: the next one undoes its mark', async () => {
  const { ending } = await tell(
    after(async cluster => {
      cluster.controllers[0]?.leave();
      cluster.delete(NODE_OP, OP);
      await cluster.run(60);
      cluster.controllers[1]?.start();
      await cluster.run(90);
    }),
  );
  expect(ending).toMatchObject({ ...CALM, operations: {}, nodes: { n1: FREE } });
});

test('the operation is deleted and made anew under its name: the old mark is undone, and the new one goes its own way', async () => {
  const { ending } = await tell(
    after(async cluster => {
      cluster.delete(NODE_OP, OP);
      cluster.apply(NODE_OP, nodeOp('op', { ...ONLY_N1, backoffLimit: 0 }));
      await over(cluster);
    }),
  );
  expect(ending).toMatchObject({ ...CALM, operations: { op: { phase: 'Failed' } }, nodes: { n1: FREE } });
});

test('the operation is torn away under way, finalizer and all: its mark and its claim are undone', async () => {
  const { ending, cluster } = await tell({
    ...after(() => undefined),
    cluster: { nodes: nodes('n1', 'n2'), errands: () => ({ seconds: 30 }) },
    play: async it => {
      it.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1 }));
      await it.until(() => it.isRunning('n1', CONTAINERS.work), 600);
      it.api.drop(NODE_OP, OP);
    },
  });
  expect(ending).toMatchObject({ ...CALM, operations: {}, nodes: { n1: { ...FREE, downs: '' } } });
  expect(cluster.isRunning('n1', CONTAINERS.work)).toBe(false);
});
