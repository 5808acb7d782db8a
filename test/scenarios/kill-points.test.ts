import { afterAll, expect, test } from '@jest/globals';
import { kills } from './plans.js';
import * as stories from './stories.js';
import { sweep, tellTried } from './sweep.js';

/** Four nodes at once cost as much as the rest together: of them every eighth mishap. */
const THIN = new Set([stories.abreast]);

const rows = Object.values(stories).map(story => [story.name, story] as const);

afterAll(tellTried);

test.each(rows)(
  'controller or agent killed before or after any act of "%s": the same ending',
  async (_sentence, story) => {
    const step = THIN.has(story) ? 8 : 1;
    expect(await sweep(story, calm => kills(calm).filter((_plan, index) => index % step === 0))).toEqual([]);
  },
  300_000,
);
