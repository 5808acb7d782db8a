import { afterAll, expect, test } from '@jest/globals';
import { kills } from './fault-plans.js';
import * as scenarios from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

/** Four nodes at once take as long as all other scenarios together. */
const SLOW = new Set([scenarios.abreast]);

const rows = Object.values(scenarios).map(scenario => [scenario.name, scenario] as const);

afterAll(printKillPointCount);

test.each(rows)(
  '"%s" has the same outcome when the controller or an agent is killed before or after any write',
  async (_sentence, scenario) => {
    expect(await runWithFaults(scenario, baseline => everyNth(SLOW.has(scenario) ? 25 : 3, kills(baseline)))).toEqual(
      [],
    );
  },
  300_000,
);
