import { afterAll, expect, test } from '@jest/globals';
import { kills } from './fault-plans.js';
import * as stories from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

/** Four nodes at once cost as much as the rest together. */
const DEAR = new Set([stories.abreast]);

const rows = Object.values(stories).map(story => [story.name, story] as const);

afterAll(printKillPointCount);

test.each(rows)(
  'controller or agent killed before or after any act of "%s": the same ending',
  async (_sentence, story) => {
    expect(await runWithFaults(story, calm => everyNth(DEAR.has(story) ? 25 : 3, kills(calm)))).toEqual([]);
  },
  300_000,
);
