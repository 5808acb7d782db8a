import { afterAll, expect, test } from '@jest/globals';
import { faults } from './plans.js';
import * as stories from './stories.js';
import { sweep, tellTried } from './sweep.js';
import { every } from './sampling.js';

const { plain, drained, rebooted, failedUncordoned, deletedInDrain, upgraded } = stories;
const rows = [plain, drained, rebooted, failedUncordoned, deletedInDrain, upgraded].map(
  story => [story.name, story] as const,
);

afterAll(tellTried);

test.each(rows)(
  'any act of "%s" refused, or done while its answer is lost: the same ending',
  async (_sentence, story) => {
    expect(await sweep(story, calm => every(5, faults(calm)))).toEqual([]);
  },
  300_000,
);
