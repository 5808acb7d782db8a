import { afterAll, expect, test } from '@jest/globals';
import { late, stale } from './plans.js';
import * as stories from './stories.js';
import { sweep, tellTried } from './sweep.js';
import { every } from './sampling.js';

const { abreast, ...few } = stories;
const rows = Object.values(few).map(story => [story.name, story] as const);

afterAll(tellTried);

test.each(rows)(
  'nothing heard for a while from any act of "%s" on: the same ending',
  async (_sentence, story) => {
    expect(await sweep(story, calm => every(9, stale(calm)))).toEqual([]);
  },
  300_000,
);

test.each([...rows, [abreast.name, abreast] as const])(
  'each watch late in turn in "%s": the same ending',
  async (_sentence, story) => {
    expect(await sweep(story, late)).toEqual([]);
  },
  300_000,
);
