import { afterAll, expect, test } from '@jest/globals';
import { requestErrors } from './fault-plans.js';
import * as scenarios from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const { plain, drained, rebooted, failedUncordoned, deletedInDrain, upgraded } = scenarios;
const rows = [plain, drained, rebooted, failedUncordoned, deletedInDrain, upgraded].map(
  scenario => [scenario.name, scenario] as const,
);

afterAll(printKillPointCount);

test.each(rows)(
  '"%s" has the same outcome when any write fails or its response is lost',
  async (_sentence, scenario) => {
    expect(await runWithFaults(scenario, baseline => everyNth(5, requestErrors(baseline)))).toEqual([]);
  },
  300_000,
);
