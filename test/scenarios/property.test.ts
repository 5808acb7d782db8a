/** Every object that the webhook admits either finishes or reports why it waits. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { admitted } from './property-admission.js';
import { type Case, cases } from './property-case.js';
import { runCase } from './property-run.js';
import { IS_LONG_RUN } from './sampling.js';

const SEED = 20_260_601;
const RUNS = IS_LONG_RUN ? 1_000 : 120;

/** Generous, so that a slow machine does not fail the test. */
const TIMEOUT_MS = 900_000;

describe('any object that the webhook admits', () => {
  test(
    'disrupts nothing twice, is Completed only with proof, and never waits without a reason',
    async () => {
      let [accepted, denied] = [0, 0];
      const holdsInvariants = async (drawn: Case) => {
        const stored = admitted(drawn.object);
        if (stored === undefined) denied += 1;
        else accepted += 1;
        expect(stored && (await runCase(drawn, stored))).toEqual(stored && []);
      };
      await fc.assert(fc.asyncProperty(cases, holdsInvariants), { seed: SEED, numRuns: RUNS });
      expect(accepted).toBeGreaterThan(RUNS / 2);
      expect(accepted).toBeGreaterThan(denied);
    },
    TIMEOUT_MS,
  );
});
