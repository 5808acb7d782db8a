/** Random templates, with the result of Go for each (`compare-with-go.ts` writes the table). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { TemplateError } from '../../../../controller/artifact/template/errors.js';
import { render } from '../../../../controller/artifact/template/render.js';

const table = (name: string): unknown => JSON.parse(readFileSync(`test/controller/artifact/template/${name}`, 'utf8'));
const { values } = table('cases.json') as { values: Record<string, string> };
const generated = table('generated.json') as { template: string; output: string | null }[];

/** Features of Go templates that are not supported. */
const UNSUPPORTED = /complex numbers are not supported|of a floating-point number is not supported/;

function outcome(template: string): string | null {
  try {
    return render(template, values);
  } catch (error) {
    if (error instanceof TemplateError) return UNSUPPORTED.test(error.reason) ? 'unsupported' : null;
    throw error;
  }
}

describe('random templates', () => {
  test('render as in Go, or are rejected where Go rejects them', () => {
    const differing = generated
      .map(({ template, output }) => ({ template, output, ours: outcome(template) }))
      .filter(({ output, ours }) => output !== ours && ours !== 'unsupported');
    expect(differing).toEqual([]);
  });

  test('include hundreds that Go accepts', () => {
    expect(generated.filter(({ output }) => output !== null).length).toBeGreaterThan(300);
  });
});
