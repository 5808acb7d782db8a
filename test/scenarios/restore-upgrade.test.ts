/** A NodeOpUpgrade and its NodeOp that are restored from a backup: nothing is read and nothing is upgraded before a retry. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS } from '../../api/names.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { untilCommandRuns } from './lifecycle-setup.js';
import {
  applyUpgrade,
  commandsRun,
  lose,
  reboots,
  restored,
  retryWith,
  started,
  summaryOf,
  UP,
} from './restore-setup.js';

const upgradeIn = (cluster: FakeCluster) => summaryOf(cluster.upgrade('up'));
const nodeOpIn = (cluster: FakeCluster) => summaryOf(cluster.nodeOp('up'));

const probesRun = ({ containerRuns }: FakeCluster): number =>
  containerRuns.filter(({ container }) => container === CONTAINERS.probe).length;

async function completed(): Promise<FakeCluster> {
  const cluster = await started();
  applyUpgrade(cluster);
  expect(await cluster.runUntilSettled()).toBe(true);
  expect([upgradeIn(cluster), nodeOpIn(cluster)]).toEqual([
    ['Completed', 'AllDone', true],
    ['Completed', 'AllDone', true],
  ]);
  return cluster;
}

const NOT_RUN = ['Failed', 'Restored', false];

describe('A completed upgrade', () => {
  test('reads no image and creates no NodeOp when it is restored', async () => {
    const cluster = await completed();
    const backup = cluster.backUp();
    await lose(cluster);
    expect(await restored(cluster, backup)).toBe(true);
    expect([upgradeIn(cluster), cluster.nodeOp('up')]).toEqual([NOT_RUN, undefined]);
    expect([probesRun(cluster), commandsRun(cluster), reboots(cluster)]).toEqual([1, 2, 2]);
    expect(cluster.upgrade('up')?.status?.message).toContain('operator.kairos.io/retry');
  });

  test.each([false, true])('begins anew after a retry (restored with its status: %s)', async keepStatus => {
    const cluster = await completed();
    const backup = cluster.backUp();
    await lose(cluster);
    await restored(cluster, backup, { keepStatus });
    expect(upgradeIn(cluster)[0]).toBe(keepStatus ? 'Completed' : 'Failed');
    retryWith(cluster, 'again', NODE_OP_UPGRADE, UP);
    await cluster.runUntil(() => cluster.nodeOp('up') !== undefined);
    expect(await cluster.runUntilSettled()).toBe(true);
    expect([upgradeIn(cluster), nodeOpIn(cluster)]).toEqual([
      ['Completed', 'AllDone', true],
      ['Completed', 'AllDone', true],
    ]);
    /* The nodes run the version already. */
    expect([probesRun(cluster), commandsRun(cluster)]).toEqual([2, 2]);
  });

  test('that was retried stays completed when it is restored with its status', async () => {
    const cluster = await completed();
    retryWith(cluster, 'former', NODE_OP_UPGRADE, UP);
    await cluster.runFor(30);
    const backup = cluster.backUp();
    await lose(cluster);
    await restored(cluster, backup, { keepStatus: true });
    expect([upgradeIn(cluster)[0], cluster.nodeOp('up'), probesRun(cluster)]).toEqual(['Completed', undefined, 1]);
  });
});

describe('An upgrade that was saved in the middle', () => {
  test.each([false, true])('ends when it is restored (with its status: %s)', async keepStatus => {
    const cluster = await started();
    applyUpgrade(cluster);
    await untilCommandRuns(cluster, 'n1');
    const backup = cluster.backUp();
    await lose(cluster);
    expect(await restored(cluster, backup, { keepStatus })).toBe(true);
    expect([upgradeIn(cluster), cluster.nodeOp('up')]).toEqual([NOT_RUN, undefined]);
    expect([probesRun(cluster), commandsRun(cluster), reboots(cluster)]).toEqual([1, 1, 0]);
    retryWith(cluster, 'again', NODE_OP_UPGRADE, UP);
    await cluster.runUntil(() => cluster.nodeOp('up') !== undefined);
    expect(await cluster.runUntilSettled()).toBe(true);
    expect([upgradeIn(cluster)[0], reboots(cluster)]).toEqual(['Completed', 2]);
  });

  test('ends when it is restored while it was reading its image', async () => {
    const cluster = await started();
    applyUpgrade(cluster);
    await cluster.runUntil(() => cluster.upgrade('up')?.status?.phase === 'Initializing');
    const backup = cluster.backUp();
    await lose(cluster);
    expect(await restored(cluster, backup)).toBe(true);
    expect([upgradeIn(cluster), cluster.nodeOp('up')]).toEqual([NOT_RUN, undefined]);
  });
});

describe('The NodeOp of an upgrade, restored by a tool that does not know the label,', () => {
  const afterLoss = async () => {
    const cluster = await completed();
    const backup = cluster.backUp({ knowsLabel: false });
    await lose(cluster);
    return { cluster, ofNodeOps: backup.filter(({ resource }) => resource === NODE_OP) };
  };

  test('runs nothing when its owner reference is dropped', async () => {
    const { cluster, ofNodeOps } = await afterLoss();
    await restored(cluster, ofNodeOps);
    expect([nodeOpIn(cluster), commandsRun(cluster)]).toEqual([NOT_RUN, 2]);
  });

  test('is garbage-collected with an owner reference to the former upgrade', async () => {
    const { cluster, ofNodeOps } = await afterLoss();
    await restored(cluster, ofNodeOps, { keepOwners: true });
    expect([cluster.nodeOp('up'), commandsRun(cluster)]).toEqual([undefined, 2]);
  });

  test.each([false, true])(
    'runs nothing although an older release wrote no mark (owner reference kept: %s)',
    async keepOwners => {
      const { cluster, ofNodeOps } = await afterLoss();
      for (const { object } of ofNodeOps) delete object.metadata.annotations?.[ANNOTATIONS.started];
      await restored(cluster, ofNodeOps, { keepOwners });
      expect(commandsRun(cluster)).toBe(2);
    },
  );

  test('without a mark and without its owner reference ends as restored, and the message names the cause', async () => {
    const { cluster, ofNodeOps } = await afterLoss();
    for (const { object } of ofNodeOps) delete object.metadata.annotations?.[ANNOTATIONS.started];
    await restored(cluster, ofNodeOps);
    expect(nodeOpIn(cluster)).toEqual(['Failed', 'Restored', true]);
    expect(cluster.nodeOp('up')?.status?.message).toContain('without the NodeOpUpgrade');
  });

  test('does not change the result of an upgrade that still exists', async () => {
    const cluster = await completed();
    retryWith(cluster, 'former', NODE_OP_UPGRADE, UP);
    await cluster.runFor(30);
    const backup = cluster.backUp({ knowsLabel: false }).filter(({ resource }) => resource === NODE_OP);
    cluster.api.forceRemove(NODE_OP, UP);
    await cluster.runFor(10);
    await restored(cluster, backup, { keepOwners: true });
    expect([upgradeIn(cluster), nodeOpIn(cluster)]).toEqual([['Completed', 'AllDone', true], NOT_RUN]);
    expect(commandsRun(cluster)).toBe(2);
  });
});
