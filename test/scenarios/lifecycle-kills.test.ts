/** Stories of a node's life, told again with mishaps. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { CALM } from './lifecycle-setup.js';
import * as stories from './lifecycle-stories.js';
import { faults, freezes, kills } from './plans.js';
import { tell } from './replay.js';
import { sweep, tellTried } from './sweep.js';
import { every } from './sampling.js';

const rows = Object.values(stories).map(story => [story.name, story] as const);

afterAll(tellTried);

test.each(rows)('%s', async (_sentence, story) => {
  const { ending } = await tell(story);
  expect(ending).toMatchObject({ ...CALM, ...story.ends });
});

/** Of each kind of mishap one in so many. */
const MISHAPS = [
  ['killed at', kills, 9],
  ['frozen before', freezes, 10],
  ['refused, or unheard, in', faults, 18],
] as const;

describe.each(MISHAPS)('%s any act', (_words, plans, step) => {
  test.each(rows)(
    'of "%s": the same ending',
    async (_sentence, story) => {
      expect(await sweep(story, calm => every(step, plans(calm)))).toEqual([]);
    },
    300_000,
  );
});
