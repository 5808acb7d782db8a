import { afterAll, expect, test } from '@jest/globals';
import { freezes } from './fault-plans.js';
import * as scenarios from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const { plain, drained, rebooted, failed, rivals, deletedInJob, deletedInReboot, powerCutInJob, upgraded, upToDate } =
  scenarios;
const rows = [
  plain,
  drained,
  rebooted,
  failed,
  rivals,
  deletedInJob,
  deletedInReboot,
  powerCutInJob,
  upgraded,
  upToDate,
].map(scenario => [scenario.name, scenario] as const);

afterAll(printKillPointCount);

test.each(rows)(
  '"%s" has the same outcome when a program is frozen before any write and thawed after another leader has taken over',
  async (_sentence, scenario) => {
    expect(await runWithFaults(scenario, baseline => everyNth(5, freezes(baseline)))).toEqual([]);
  },
  300_000,
);
