/** The chart rendered by the real helm, which is compiled if it is not there. `chart.test.ts` does the same where it is. */
import { beforeAll, expect, jest, test } from '@jest/globals';
import { ensureHelm, helmTemplate } from './helm.js';
import { byName } from './objects.js';
import { ownTemplate } from './own-renderer.js';
import { WISHES } from './requested-objects.js';

jest.setTimeout(1_800_000);

let helm: string;
beforeAll(async () => {
  helm = await ensureHelm();
});

test.each(WISHES)('with %s the little engine renders what helm does', (_what, wish) => {
  expect(byName(ownTemplate(wish))).toEqual(byName(helmTemplate(helm, wish)));
});
