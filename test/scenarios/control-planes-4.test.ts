/** One of four files, so that Jest runs them in parallel. */
import { describe, expect, test } from '@jest/globals';
import { firstViolation, seedRanges, TIMEOUT_MS } from './control-planes-cases.js';

describe('operations disrupt control planes one at a time, none while another is not Ready, and all finish, under random faults', () => {
  test.each(seedRanges({ from: 751, to: 1000 }))(
    'schedules of the seeds $from to $to violate no invariant',
    async range => expect(await firstViolation(range)).toBeUndefined(),
    TIMEOUT_MS,
  );
});
