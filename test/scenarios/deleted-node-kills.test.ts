/** Nodes that are deleted during the reboot, with injected faults: one reboot and the same outcome. */
import { afterAll, describe, expect, test } from '@jest/globals';
import * as scenarios from './deleted-node-scenarios.js';
import { freezes, kills, requestErrors } from './fault-plans.js';
import { printKillPointCount, runWithFaults } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const rows = Object.values(scenarios).map(scenario => [scenario.name, scenario] as const);

afterAll(printKillPointCount);

/** The kinds of faults, and how many of their plans one run stands for. */
const FAULTS = [
  ['a program killed at any write', kills, 13],
  ['a program frozen before any write', freezes, 19],
  ['any write failed or its response lost', requestErrors, 31],
] as const;

describe.each(FAULTS)('with %s', (_fault, plans, step) => {
  test.each(rows)(
    'a Node %s is rebooted once, with the same outcome',
    async (_sentence, scenario) => {
      expect(await runWithFaults(scenario, baseline => everyNth(step, plans(baseline)))).toEqual([]);
    },
    300_000,
  );
});
