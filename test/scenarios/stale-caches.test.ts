import { afterAll, expect, test } from '@jest/globals';
import { lateEvents, staleCaches } from './fault-plans.js';
import * as stories from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const { abreast, ...few } = stories;
const rows = Object.values(few).map(story => [story.name, story] as const);

afterAll(printKillPointCount);

test.each(rows)(
  'nothing heard for a while from any act of "%s" on: the same ending',
  async (_sentence, story) => {
    expect(await runWithFaults(story, calm => everyNth(9, staleCaches(calm)))).toEqual([]);
  },
  300_000,
);

test.each([...rows, [abreast.name, abreast] as const])(
  'each watch late in turn in "%s": the same ending',
  async (_sentence, story) => {
    expect(await runWithFaults(story, lateEvents)).toEqual([]);
  },
  300_000,
);
