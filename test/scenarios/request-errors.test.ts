import { afterAll, expect, test } from '@jest/globals';
import { requestErrors } from './fault-plans.js';
import * as stories from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

const { plain, drained, rebooted, failedUncordoned, deletedInDrain, upgraded } = stories;
const rows = [plain, drained, rebooted, failedUncordoned, deletedInDrain, upgraded].map(
  story => [story.name, story] as const,
);

afterAll(printKillPointCount);

test.each(rows)(
  'any act of "%s" refused, or done while its answer is lost: the same ending',
  async (_sentence, story) => {
    expect(await runWithFaults(story, calm => everyNth(5, requestErrors(calm)))).toEqual([]);
  },
  300_000,
);
