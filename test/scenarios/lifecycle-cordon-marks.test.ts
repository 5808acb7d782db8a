/** A cordon mark can outlive its operation: which operations take it over, which remove it and which leave it. */
import { expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import {
  commandLasting,
  retry,
  untilCommandRuns,
  setUnschedulable,
  SETTLED,
  DRAIN,
  RELEASED,
  nodesNamed,
  ONLY_N1,
  OP,
  untilFinished,
  REBOOT,
} from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const MARK = 'default/op';
const KEPT = { cordoned: true, cordonMark: MARK, claimedBy: undefined };

/** Runs `then` after an operation `op` whose command failed; the commands of other operations succeed. */
const after = (then: (cluster: FakeCluster) => Promise<void> | void, spec: object = DRAIN): Scenario => ({
  name: 'after an operation that failed',
  cluster: {
    nodes: nodesNamed('n1', 'n2'),
    behavior: ({ container, pod }) =>
      container.name === CONTAINERS.work && pod.metadata.labels?.['kairos.io/nodeop'] === 'op'
        ? { seconds: 1, exitCode: 1 }
        : undefined,
  },
  run: async cluster => {
    cluster.apply(NODE_OP, nodeOp('op', { ...spec, ...ONLY_N1, backoffLimit: 0 }));
    await untilFinished(cluster);
    await cluster.runFor(30);
    await then(cluster);
  },
  expected: {},
});

const next = (spec: object) => (cluster: FakeCluster) =>
  void cluster.apply(NODE_OP, nodeOp('next', { ...spec, ...ONLY_N1 }));

test('a failed operation leaves its cordon and mark for inspection', async () => {
  const { outcome } = await runScenario(after(cluster => cluster.runFor(3600)));
  expect(outcome).toMatchObject({
    ...SETTLED,
    operations: { op: { phase: 'Failed' } },
    nodes: { n1: KEPT, n2: RELEASED },
  });
});

test.each([
  ['cordons', { cordon: true }],
  ['drains', DRAIN],
  ['reboots', REBOOT],
])('the next operation that %s takes the cordon mark over and removes it', async (_words, spec) => {
  const { outcome, cluster } = await runScenario(after(next(spec)));
  expect(outcome).toMatchObject({
    ...SETTLED,
    operations: { next: { phase: 'Completed' } },
    nodes: { n1: RELEASED, n2: RELEASED },
  });
  const marks = cluster.disruptions
    .filter(({ node }) => node === 'n1')
    .map(({ cordonedBy }) => cordonedBy?.replace(/@.*/, ''));
  expect([...new Set(marks)]).toEqual([undefined, MARK, 'default/next']);
});

test('the next operation leaves the cordon mark when it does not cordon', async () => {
  const { outcome } = await runScenario(after(next({})));
  expect(outcome).toMatchObject({ ...SETTLED, operations: { next: { phase: 'Completed' } }, nodes: { n1: KEPT } });
});

test('a node that a user has cordoned is used as it is and stays cordoned', async () => {
  const { outcome } = await runScenario({
    ...after(() => undefined),
    run: cluster => {
      setUnschedulable(cluster, 'n1', true);
      next(DRAIN)(cluster);
    },
  });
  expect(outcome).toMatchObject({
    ...SETTLED,
    operations: { next: { phase: 'Completed' } },
    nodes: { n1: { cordoned: true, cordonMark: undefined, claimedBy: undefined } },
  });
});

test('the next operation leaves neither cordon nor mark after a user has uncordoned the marked node', async () => {
  const { outcome } = await runScenario(
    after(cluster => {
      setUnschedulable(cluster, 'n1', false);
      next(DRAIN)(cluster);
    }),
  );
  expect(outcome).toMatchObject({ ...SETTLED, operations: { next: { phase: 'Completed' } }, nodes: { n1: RELEASED } });
});

test.each<[string, (cluster: FakeCluster) => void]>([
  ['the next operation', next(DRAIN)],
  ['a retry of the failed one', retry],
  ['the deletion of the failed one', cluster => cluster.delete(NODE_OP, OP)],
])('a cordon that a user set after having removed that of a failed operation is left by %s', async (_words, then) => {
  const { outcome } = await runScenario(
    after(async cluster => {
      setUnschedulable(cluster, 'n1', false);
      await cluster.runFor(30);
      setUnschedulable(cluster, 'n1', true);
      then(cluster);
    }),
  );
  expect(outcome).toMatchObject({
    ...SETTLED,
    nodes: { n1: { cordoned: true, cordonMark: undefined, claimedBy: undefined } },
  });
});

test('a cordon that a user set while the operation ran, after having removed its own, is left when it ends', async () => {
  const { outcome } = await runScenario({
    ...after(() => undefined),
    cluster: { nodes: nodesNamed('n1', 'n2'), ...commandLasting(120) },
    run: async it => {
      it.apply(NODE_OP, nodeOp('op', { ...DRAIN, ...ONLY_N1 }));
      await untilCommandRuns(it, 'n1');
      setUnschedulable(it, 'n1', false);
      await it.runFor(30);
      setUnschedulable(it, 'n1', true);
    },
  });
  expect(outcome).toMatchObject({
    ...SETTLED,
    operations: { op: { phase: 'Completed' } },
    nodes: { n1: { cordoned: true, cordonMark: undefined, claimedBy: undefined } },
  });
});

test('deleting a failed operation removes its cordon and mark', async () => {
  const { outcome } = await runScenario(after(cluster => cluster.delete(NODE_OP, OP)));
  expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: RELEASED } });
});

test('the next controller removes the mark of an operation that was deleted while no controller ran', async () => {
  const { outcome } = await runScenario(
    after(async cluster => {
      cluster.controllers[0]?.stop();
      cluster.delete(NODE_OP, OP);
      await cluster.runFor(60);
      cluster.controllers[1]?.start();
      await cluster.runFor(90);
    }),
  );
  expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: RELEASED } });
});

test('recreating an operation under the same name removes the old mark and runs the new operation', async () => {
  const { outcome } = await runScenario(
    after(async cluster => {
      cluster.delete(NODE_OP, OP);
      cluster.apply(NODE_OP, nodeOp('op', { ...ONLY_N1, backoffLimit: 0 }));
      await untilFinished(cluster);
    }),
  );
  expect(outcome).toMatchObject({ ...SETTLED, operations: { op: { phase: 'Failed' } }, nodes: { n1: RELEASED } });
});

test('an operation removed together with its finalizer while it runs loses its mark and its claim', async () => {
  const { outcome, cluster } = await runScenario({
    ...after(() => undefined),
    cluster: { nodes: nodesNamed('n1', 'n2'), behavior: () => ({ seconds: 30 }) },
    run: async it => {
      it.apply(NODE_OP, nodeOp('op', { ...REBOOT, ...ONLY_N1 }));
      await it.runUntil(() => it.isRunning('n1', CONTAINERS.work), 600);
      it.api.forceRemove(NODE_OP, OP);
    },
  });
  expect(outcome).toMatchObject({ ...SETTLED, operations: {}, nodes: { n1: { ...RELEASED, shutdowns: '' } } });
  expect(cluster.isRunning('n1', CONTAINERS.work)).toBe(false);
});
