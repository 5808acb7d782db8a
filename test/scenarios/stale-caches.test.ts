import { afterAll, expect, test } from '@jest/globals';
import { lateEvents, staleCaches } from './fault-plans.js';
import * as scenarios from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const { abreast, ...few } = scenarios;
const rows = Object.values(few).map(scenario => [scenario.name, scenario] as const);

afterAll(printKillPointCount);

test.each(rows)(
  '"%s" has the same outcome when the controller gets no watch events for a while from any write on',
  async (_sentence, scenario) => {
    expect(await runWithFaults(scenario, baseline => everyNth(9, staleCaches(baseline)))).toEqual([]);
  },
  300_000,
);

test.each([...rows, [abreast.name, abreast] as const])(
  '"%s" has the same outcome when the events of any one watch are late',
  async (_sentence, scenario) => {
    expect(await runWithFaults(scenario, lateEvents)).toEqual([]);
  },
  300_000,
);
