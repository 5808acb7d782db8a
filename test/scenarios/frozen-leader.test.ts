import { afterAll, expect, test } from '@jest/globals';
import { freezes } from './plans.js';
import * as stories from './stories.js';
import { sweep, tellTried } from './sweep.js';
import { every } from './sampling.js';

const { plain, drained, rebooted, failed, rivals, deletedInJob, deletedInReboot, powerCutInJob, upgraded, upToDate } =
  stories;
const rows = [
  plain,
  drained,
  rebooted,
  failed,
  rivals,
  deletedInJob,
  deletedInReboot,
  powerCutInJob,
  upgraded,
  upToDate,
].map(story => [story.name, story] as const);

afterAll(tellTried);

test.each(rows)(
  'stopped before any act of "%s" and woken when another has gone on: the same ending',
  async (_sentence, story) => {
    expect(await sweep(story, calm => every(5, freezes(calm)))).toEqual([]);
  },
  300_000,
);
