/** A short run; the long one is `fuzz.long.test.ts`. */
import { expect, test } from '@jest/globals';
import { TemplateError } from '../../../../controller/artifact/template/errors.js';
import { FAULTS } from '../../../../controller/artifact/template/faults.js';
import { render } from '../../../../controller/artifact/template/render.js';
import { hostileTemplates } from './hostile-templates.js';

const MESSAGES: ReadonlySet<string> = new Set(Object.values(FAULTS));

test('hostile templates are rendered, or rejected with one of the known texts, within their time', () => {
  const next = hostileTemplates(1);
  const end = performance.now() + 8_000;
  const unknown: string[] = [];
  let rendered = 0;
  let rejected = 0;
  while (performance.now() < end && rendered + rejected < 400) {
    const { template, values } = next();
    const start = performance.now();
    try {
      expect(Buffer.byteLength(render(template, values))).toBeLessThanOrEqual(4 * 1024 * 1024);
      rendered += 1;
    } catch (error) {
      if (!(error instanceof TemplateError)) throw new Error(JSON.stringify(template).slice(0, 500), { cause: error });
      const [, message = ''] = /^line \d+, column \d+: (.*)$/.exec(error.message) ?? [];
      if (!MESSAGES.has(message)) unknown.push(message);
      rejected += 1;
    }
    expect(performance.now() - start).toBeLessThan(8_000);
  }
  expect(unknown).toEqual([]);
  expect(rejected).toBeGreaterThan(10);
});
