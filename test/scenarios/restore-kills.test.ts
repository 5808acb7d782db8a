/** A restore and a retry with injected faults: the marks are written before what they stand for. */
import { afterAll, expect, test } from '@jest/globals';
import { isFinal } from '../../controller/cluster/phases.js';
import { kills, requestErrors } from './fault-plans.js';
import { commandLasting, nodesNamed, runUntil } from './lifecycle-setup.js';
import { applyOp, lose, restored, retryWith, summaryOf } from './restore-setup.js';
import { printKillPointCount, runWithFaults } from './run-with-faults.js';
import { everyNth } from './sampling.js';
import type { Scenario } from './scenario.js';

afterAll(printKillPointCount);

const restoredAndRetried: Scenario = {
  name: 'a NodeOp that is restored from a backup and retried',
  cluster: { nodes: nodesNamed('n1'), ...commandLasting(10) },
  run: async cluster => {
    applyOp(cluster, { rebootOnSuccess: true });
    await cluster.runUntilSettled();
    const backup = cluster.backUp();
    await lose(cluster);
    await restored(cluster, backup);
    if (summaryOf(cluster.nodeOp('op'))[1] !== 'Restored') throw new Error('it was run');
    retryWith(cluster, 'again');
    await runUntil(cluster, () => !isFinal(cluster.nodeOp('op')?.status));
  },
  expected: { commands: { 'n1 op': 2 } },
};

test.each([
  ['killed', kills],
  ['refused', requestErrors],
] as const)(
  'the outcome of a restore and a retry is the same when any write is %s',
  async (_fault, plans) => {
    expect(await runWithFaults(restoredAndRetried, baseline => everyNth(7, plans(baseline)))).toEqual([]);
  },
  300_000,
);
