import { afterAll, expect, test } from '@jest/globals';
import { missedEvents } from './fault-plans.js';
import * as scenarios from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const { abreast: _costly, ...few } = scenarios;
const rows = Object.values(few).map(scenario => [scenario.name, scenario] as const);

afterAll(printKillPointCount);

test.each(rows)(
  '"%s" has the same outcome when any watch event of the controller is lost',
  async (_sentence, scenario) => {
    expect(await runWithFaults(scenario, () => everyNth(9, missedEvents()))).toEqual([]);
  },
  300_000,
);
