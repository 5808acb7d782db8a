/** A NodeOp that is restored from a backup, or created from a copied manifest, runs nothing before a retry. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS } from '../../api/names.js';
import type { NodeOp } from '../../api/objects.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { restored as asRestored } from '../fakes/cluster/backup.js';
import { REBOOT, RELEASED, SETTLED, untilCommandRuns } from './lifecycle-setup.js';
import { outcomeOf } from './outcome.js';
import {
  applyOp,
  commandsRun,
  completed,
  lose,
  OP,
  reboots,
  restored,
  retryWith,
  setMark,
  started,
  summaryOf,
} from './restore-setup.js';

function operationIn(cluster: FakeCluster): NodeOp {
  const op = cluster.nodeOp('op');
  if (op === undefined) throw new Error('there is no NodeOp');
  return op;
}

const NOT_RUN = ['Failed', 'Restored', false];

describe('A NodeOp that has completed', () => {
  test('neither runs nor reboots anything when it is restored, and the message says what to do', async () => {
    const cluster = await completed(REBOOT);
    const backup = cluster.backUp();
    await lose(cluster);
    expect(await restored(cluster, backup)).toBe(true);
    expect(summaryOf(cluster.nodeOp('op'))).toEqual(NOT_RUN);
    expect([commandsRun(cluster), reboots(cluster)]).toEqual([2, 2]);
    const { message } = cluster.nodeOp('op')?.status ?? {};
    expect(message).toContain('set the annotation operator.kairos.io/retry to a new value');
    expect(message).toContain('remove the annotation operator.kairos.io/started');
    expect(cluster.api.events.filter(({ reason }) => reason === 'Restored')).toHaveLength(1);
  });

  test('runs again after a retry, with its own mark', async () => {
    const cluster = await completed(REBOOT);
    const backup = cluster.backUp();
    await lose(cluster);
    await restored(cluster, backup);
    retryWith(cluster, 'again');
    expect(await cluster.runUntilSettled()).toBe(true);
    expect(summaryOf(cluster.nodeOp('op'))).toEqual(['Completed', 'AllDone', true]);
    expect([commandsRun(cluster), reboots(cluster)]).toEqual([4, 4]);
  });

  test('is not run by the value of a retry that was restored with it', async () => {
    const cluster = await completed({}, { annotations: { [ANNOTATIONS.retry]: 'former' } });
    const backup = cluster.backUp();
    await lose(cluster);
    await restored(cluster, backup);
    retryWith(cluster, 'former');
    await cluster.runFor(300);
    expect(summaryOf(cluster.nodeOp('op'))).toEqual(NOT_RUN);
    expect(commandsRun(cluster)).toBe(2);
  });

  test('stays completed when it is restored with its status', async () => {
    const cluster = await completed(REBOOT, { annotations: { [ANNOTATIONS.retry]: 'former' } });
    const backup = cluster.backUp();
    await lose(cluster);
    await restored(cluster, backup, { keepStatus: true });
    const { phase, nodes, progress } = cluster.nodeOp('op')?.status ?? {};
    expect([phase, nodes?.completed, progress]).toEqual(['Completed', 2, '2/2']);
    expect([commandsRun(cluster), reboots(cluster)]).toEqual([2, 2]);
  });

  test('is not run again when it is restored a second time', async () => {
    const cluster = await completed();
    for (let time = 1; time <= 2; time += 1) {
      const backup = cluster.backUp();
      await lose(cluster);
      await restored(cluster, backup);
      expect(summaryOf(cluster.nodeOp('op'))).toEqual(NOT_RUN);
    }
    expect(commandsRun(cluster)).toBe(2);
  });

  test('is not run when a change of its annotations removes the foreign mark', async () => {
    const cluster = await completed();
    const backup = cluster.backUp();
    await lose(cluster);
    await restored(cluster, backup);
    setMark(cluster, null);
    await cluster.runFor(300);
    expect(summaryOf(cluster.nodeOp('op'))).toEqual(['Failed', 'Restored', true]);
    expect(commandsRun(cluster)).toBe(2);
  });

  test('runs again when it is deleted and applied from its manifest, which is a new request', async () => {
    const cluster = await completed();
    cluster.delete(NODE_OP, OP);
    await cluster.runFor(10);
    applyOp(cluster);
    expect(await cluster.runUntilSettled()).toBe(true);
    expect(summaryOf(cluster.nodeOp('op'))).toEqual(['Completed', 'AllDone', true]);
    expect(commandsRun(cluster)).toBe(4);
  });

  test('is not run under another name from a copied manifest, and is without the mark', async () => {
    const cluster = await completed();
    const former = operationIn(cluster);
    const copy = (name: string, annotations: object) => ({
      ...asRestored(former),
      metadata: { name, namespace: 'default', annotations },
    });
    cluster.apply(NODE_OP, copy('copied', { ...former.metadata.annotations }));
    cluster.apply(NODE_OP, copy('cleaned', {}));
    await cluster.runUntilSettled();
    expect(summaryOf(cluster.nodeOp('copied'))).toEqual(NOT_RUN);
    expect(summaryOf(cluster.nodeOp('cleaned'))).toEqual(['Completed', 'AllDone', true]);
    expect(commandsRun(cluster)).toBe(4);
  });
});

describe('A NodeOp that was saved in the middle', () => {
  const STATUS = [
    ['without its status', false],
    ['with its status', true],
  ] as const;
  test.each(STATUS)(
    'ends when it is restored %s; its nodes are released, and none starts',
    async (_how, keepStatus) => {
      const cluster = await started();
      applyOp(cluster, REBOOT);
      await untilCommandRuns(cluster, 'n1');
      const backup = cluster.backUp();
      await lose(cluster);
      expect(await restored(cluster, backup, { keepStatus })).toBe(true);
      expect(summaryOf(cluster.nodeOp('op'))).toEqual(NOT_RUN);
      expect(outcomeOf(cluster, true)).toMatchObject({ ...SETTLED, nodes: { n1: RELEASED, n2: RELEASED } });
      expect([commandsRun(cluster), reboots(cluster)]).toEqual([1, 0]);
      retryWith(cluster, 'again');
      expect(await cluster.runUntilSettled()).toBe(true);
      expect(summaryOf(cluster.nodeOp('op'))).toEqual(['Completed', 'AllDone', true]);
      expect([commandsRun(cluster), reboots(cluster)]).toEqual([3, 2]);
    },
  );

  test.each(STATUS)('goes at once when it is restored %s and deleted, and nothing runs', async (_how, keepStatus) => {
    const cluster = await started();
    applyOp(cluster, REBOOT);
    await untilCommandRuns(cluster, 'n1');
    const backup = cluster.backUp();
    await lose(cluster);
    cluster.restore(backup, { keepStatus });
    cluster.delete(NODE_OP, OP);
    await cluster.runFor(30);
    expect([cluster.nodeOp('op'), commandsRun(cluster), reboots(cluster)]).toEqual([undefined, 1, 0]);
    expect(outcomeOf(cluster, true)).toMatchObject({ ...SETTLED, nodes: { n1: RELEASED, n2: RELEASED } });
  });

  test('does not hold a younger operation back when it is restored', async () => {
    const cluster = await started();
    applyOp(cluster, REBOOT);
    await untilCommandRuns(cluster, 'n1');
    const backup = cluster.backUp();
    await lose(cluster);
    cluster.restore(backup);
    cluster.apply(NODE_OP, { ...asRestored(operationIn(cluster)), metadata: { ...OP, name: 'other' } });
    expect(await cluster.runUntilSettled()).toBe(true);
    expect(summaryOf(cluster.nodeOp('other'))).toEqual(['Completed', 'AllDone', true]);
  });
});
