/** Every watch is cut with 410 at once, and what was on its way is lost: who watches lists again, and misses nothing. */
import { afterAll, expect, test } from '@jest/globals';
import { NODE_AGENT } from '../../api/kinds.js';
import { PODS } from '../../kube/resources.js';
import { type FaultPlan, runScenario, type ScenarioResult } from './run-scenario.js';
import * as stories from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';

const { drained, rebooted, deletedInDrain, upgraded } = stories;

/** So that there always is something on its way. */
const LATE_MS = 1_500;

const cuts = (calm: ScenarioResult): FaultPlan[] =>
  calm.mutations.map(({ program, number }) => ({
    program,
    mutation: number,
    description: 'all watches cut before it',
    prepare: cluster => void (cluster.watchDelay = () => LATE_MS),
    fault: cluster => ({ kind: 'runBefore', call: () => cluster.api.compact() }),
  }));

/** Of all acts. */
const ONE_IN = 12;

afterAll(printKillPointCount);

test('all watches cut: everybody lists again, once', async () => {
  const { cluster } = await runScenario(drained);
  cluster.api.listCounts.clear();
  cluster.api.compact();
  await cluster.runFor(60);
  expect(cluster.api.listCounts.get(PODS.plural)).toBe(1);
  expect(cluster.api.listCounts.get(NODE_AGENT.plural)).toBe(1 + cluster.machines.size);
});

test.each([drained, rebooted, deletedInDrain, upgraded].map(story => [story.name, story] as const))(
  'all watches cut before any act of "%s": the same ending',
  async (_sentence, story) => {
    expect(await runWithFaults(story, calm => cuts(calm).filter((_plan, index) => index % ONE_IN === 0))).toEqual([]);
  },
  120_000,
);
