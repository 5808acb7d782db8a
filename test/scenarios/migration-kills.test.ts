/** The controller that takes over dies, freezes, or is refused anywhere on the way: what comes out is the same, though who rebooted the node may differ. */
import { afterAll, expect, test } from '@jest/globals';
import { nodesNamed, ONLY_N1 } from './lifecycle-setup.js';
import { itsJobsLast, leaves, type NodeLeft, RUNNING, succeeds, TO_REBOOT } from './migration-setup.js';
import { requestErrors, freezes, kills } from './fault-plans.js';
import type { Scenario } from './scenario.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const story = (name: string, node: NodeLeft): Scenario => ({
  name,
  cluster: { nodes: nodesNamed('n1'), ...itsJobsLast(20) },
  run: cluster =>
    succeeds(cluster, () => {
      const spec = { ...ONLY_N1, cordon: true, rebootOnSuccess: true };
      leaves(cluster, { phase: 'Running', spec, nodes: { n1: node }, asAgent: true });
    }),
  expected: {},
});

const STORIES: readonly Scenario[] = [
  story('its Job runs', { entry: RUNNING, cordon: 'marked', job: 'running', rebootPod: 'waits' }),
  story('its Job is complete', {
    entry: TO_REBOOT,
    cordon: 'marked',
    job: 'complete',
    rebootPod: 'waits',
    sentinel: true,
  }),
  story('nobody knows', { entry: TO_REBOOT, cordon: 'marked', job: 'complete' }),
];

afterAll(printKillPointCount);

const rows = STORIES.map(one => [one.name, one] as const);

test.each(rows)(
  'killed before or after any act, while %s: the same ending',
  async (_words, one) => {
    expect(await runWithFaults(one, calm => everyNth(4, kills(calm)))).toEqual([]);
  },
  300_000,
);

test.each(rows)(
  'any act refused, or its answer lost, while %s: the same ending',
  async (_words, one) => {
    expect(await runWithFaults(one, calm => everyNth(6, requestErrors(calm)))).toEqual([]);
  },
  300_000,
);

test.each(rows)(
  'another leads, and the first one wakes up, while %s: the same ending',
  async (_words, one) => {
    expect(await runWithFaults(one, calm => everyNth(6, freezes(calm)))).toEqual([]);
  },
  300_000,
);
