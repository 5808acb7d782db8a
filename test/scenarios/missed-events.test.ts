import { afterAll, expect, test } from '@jest/globals';
import { missedEvents } from './fault-plans.js';
import * as stories from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const { abreast: _costly, ...few } = stories;
const rows = Object.values(few).map(story => [story.name, story] as const);

afterAll(printKillPointCount);

test.each(rows)(
  'an event of a watch never delivered in "%s": the same ending',
  async (_sentence, story) => {
    expect(await runWithFaults(story, () => everyNth(9, missedEvents()))).toEqual([]);
  },
  300_000,
);
