/** One of four files, so that they can run side by side. */
import { describe, expect, test } from '@jest/globals';
import { firstViolation, seedRanges, TIMEOUT_MS } from './control-planes-cases.js';

describe('control planes are disturbed one at a time, none while another is not Ready, and all ends, whatever comes and whatever fails', () => {
  test.each(seedRanges({ from: 501, to: 750 }))(
    'on the days of the seeds $from to $to',
    async days => expect(await firstViolation(days)).toBeUndefined(),
    TIMEOUT_MS,
  );
});
