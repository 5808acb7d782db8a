import { afterAll, expect, test } from '@jest/globals';
import { unheard } from './plans.js';
import * as stories from './stories.js';
import { sweep, tellTried } from './sweep.js';
import { every } from './sampling.js';

const { abreast: _costly, ...few } = stories;
const rows = Object.values(few).map(story => [story.name, story] as const);

afterAll(tellTried);

test.each(rows)(
  'an event of a watch never delivered in "%s": the same ending',
  async (_sentence, story) => {
    expect(await sweep(story, () => every(9, unheard()))).toEqual([]);
  },
  300_000,
);
