/** Compares the test's own chart renderer with the real Helm, which is compiled if necessary. `chart.test.ts` does so when Helm is in the cache. */
import { beforeAll, expect, jest, test } from '@jest/globals';
import { ensureHelm, helmTemplate } from './helm.js';
import { byName } from './objects.js';
import { ownTemplate } from './chart-renderer.js';
import { CHART_INPUTS } from './chart-inputs.js';

jest.setTimeout(1_800_000);

let helm: string;
beforeAll(async () => {
  helm = await ensureHelm();
});

test.each(CHART_INPUTS)('the own renderer has the same output as Helm with %s', (_name, inputs) => {
  expect(byName(ownTemplate(inputs))).toEqual(byName(helmTemplate(helm, inputs)));
});
