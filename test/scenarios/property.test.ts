/** Any wish that the webhook lets in ends well, or says why it does not. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { admitted } from './property-admission.js';
import { type Case, cases } from './property-case.js';
import { runCase } from './property-run.js';
import { IS_LONG_RUN } from './sampling.js';

const SEED = 20_260_601;
const RUNS = IS_LONG_RUN ? 1_000 : 120;

/** A slow machine is no reason to fail. */
const TIMEOUT_MS = 900_000;

describe('any wish that the webhook lets in', () => {
  test(
    'disturbs nothing twice, is Completed only with proof, and never waits in silence',
    async () => {
      let [accepted, refused] = [0, 0];
      const keepsItsPromises = async (drawn: Case) => {
        const stored = admitted(drawn.object);
        if (stored === undefined) refused += 1;
        else accepted += 1;
        expect(stored && (await runCase(drawn, stored))).toEqual(stored && []);
      };
      await fc.assert(fc.asyncProperty(cases, keepsItsPromises), { seed: SEED, numRuns: RUNS });
      expect(accepted).toBeGreaterThan(RUNS / 2);
      expect(accepted).toBeGreaterThan(refused);
    },
    TIMEOUT_MS,
  );
});
