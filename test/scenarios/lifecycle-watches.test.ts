/** A compaction ends every watch with 410, and events that were not delivered yet are lost: informers list again and miss nothing. */
import { afterAll, expect, test } from '@jest/globals';
import { NODE_AGENT } from '../../api/kinds.js';
import { PODS } from '../../kube/resources.js';
import { type FaultPlan, runScenario, type ScenarioResult } from './run-scenario.js';
import * as scenarios from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';

const { drained, rebooted, deletedInDrain, upgraded } = scenarios;

/** Delays events, so that a compaction always loses some. */
const LATE_MS = 1_500;

const compactions = (baseline: ScenarioResult): FaultPlan[] =>
  baseline.mutations.map(({ program, number }) => ({
    program,
    mutation: number,
    description: 'all watches ended with 410 before it',
    prepare: cluster => void (cluster.watchDelay = () => LATE_MS),
    fault: cluster => ({ kind: 'runBefore', call: () => cluster.api.compact() }),
  }));

/** The share of mutations that are tried. */
const ONE_IN = 12;

afterAll(printKillPointCount);

test('every informer lists once after a compaction', async () => {
  const { cluster } = await runScenario(drained);
  cluster.api.listCounts.clear();
  cluster.api.compact();
  await cluster.runFor(60);
  expect(cluster.api.listCounts.get(PODS.plural)).toBe(1);
  expect(cluster.api.listCounts.get(NODE_AGENT.plural)).toBe(1 + cluster.machines.size);
});

test.each([drained, rebooted, deletedInDrain, upgraded].map(scenario => [scenario.name, scenario] as const))(
  '"%s" has the same outcome when all watches end with 410 before any write',
  async (_sentence, scenario) => {
    expect(
      await runWithFaults(scenario, baseline => compactions(baseline).filter((_plan, index) => index % ONE_IN === 0)),
    ).toEqual([]);
  },
  120_000,
);
