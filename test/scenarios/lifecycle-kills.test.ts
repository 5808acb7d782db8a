/** Stories of a node's life, told again with mishaps. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { SETTLED } from './lifecycle-setup.js';
import * as stories from './lifecycle-scenarios.js';
import { requestErrors, freezes, kills } from './fault-plans.js';
import { runScenario } from './run-scenario.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const rows = Object.values(stories).map(story => [story.name, story] as const);

afterAll(printKillPointCount);

test.each(rows)('%s', async (_sentence, story) => {
  const { outcome } = await runScenario(story);
  expect(outcome).toMatchObject({ ...SETTLED, ...story.expected });
});

/** Of each kind of mishap one in so many. */
const MISHAPS = [
  ['killed at', kills, 9],
  ['frozen before', freezes, 10],
  ['refused, or unheard, in', requestErrors, 18],
] as const;

describe.each(MISHAPS)('%s any act', (_words, plans, step) => {
  test.each(rows)(
    'of "%s": the same ending',
    async (_sentence, story) => {
      expect(await runWithFaults(story, calm => everyNth(step, plans(calm)))).toEqual([]);
    },
    300_000,
  );
});
