/** The lifecycle scenarios, without faults and with injected faults. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { SETTLED } from './lifecycle-setup.js';
import * as scenarios from './lifecycle-scenarios.js';
import { requestErrors, freezes, kills } from './fault-plans.js';
import { runScenario } from './run-scenario.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const rows = Object.values(scenarios).map(scenario => [scenario.name, scenario] as const);

afterAll(printKillPointCount);

test.each(rows)('"%s" has the expected outcome', async (_sentence, scenario) => {
  const { outcome } = await runScenario(scenario);
  expect(outcome).toMatchObject({ ...SETTLED, ...scenario.expected });
});

/** The kinds of faults, and how many of their plans one run stands for. */
const FAULTS = [
  ['a program killed at any write', kills, 9],
  ['a program frozen before any write', freezes, 10],
  ['any write failed or its response lost', requestErrors, 18],
] as const;

describe.each(FAULTS)('with %s', (_fault, plans, step) => {
  test.each(rows)(
    '"%s" has the same outcome',
    async (_sentence, scenario) => {
      expect(await runWithFaults(scenario, baseline => everyNth(step, plans(baseline)))).toEqual([]);
    },
    300_000,
  );
});
