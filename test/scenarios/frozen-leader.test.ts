import { afterAll, expect, test } from '@jest/globals';
import { freezes } from './fault-plans.js';
import * as stories from './scenarios.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';
import { everyNth } from './sampling.js';

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

afterAll(printKillPointCount);

test.each(rows)(
  'stopped before any act of "%s" and woken when another has gone on: the same ending',
  async (_sentence, story) => {
    expect(await runWithFaults(story, calm => everyNth(5, freezes(calm)))).toEqual([]);
  },
  300_000,
);
