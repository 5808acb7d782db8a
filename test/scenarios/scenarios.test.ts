import { expect, test } from '@jest/globals';
import { runScenario } from './run-scenario.js';
import * as scenarios from './scenarios.js';

const rows = Object.values(scenarios).map(scenario => [scenario.name, scenario] as const);

test.each(rows)('"%s" has the expected outcome', async (_sentence, scenario) => {
  const { outcome } = await runScenario(scenario);
  expect(outcome).toMatchObject({ settled: true, finalizers: [], hotLooped: [], ...scenario.expected });
});

test.each(rows)('"%s" makes the same writes in two runs', async (_sentence, scenario) => {
  const [first, second] = [await runScenario(scenario), await runScenario(scenario)];
  expect(second.mutations).toEqual(first.mutations);
});
