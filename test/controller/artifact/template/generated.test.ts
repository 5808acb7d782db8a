/** Templates drawn by chance, with what Go made of each (`compare-with-go.ts` makes the table). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { TemplateError } from '../../../../controller/artifact/template/errors.js';
import { render } from '../../../../controller/artifact/template/render.js';

const table = (name: string): unknown => JSON.parse(readFileSync(`test/controller/artifact/template/${name}`, 'utf8'));
const { values } = table('cases.json') as { values: Record<string, string> };
const drawn = table('generated.json') as { template: string; output: string | null }[];

/** Of all of Go's language only these are not there, and say so. */
const LEFT_OUT = /complex numbers are not supported|of a floating-point number is not supported/;

function outcome(template: string): string | null {
  try {
    return render(template, values);
  } catch (error) {
    if (error instanceof TemplateError) return LEFT_OUT.test(error.reason) ? 'left out' : null;
    throw error;
  }
}

describe('drawn templates', () => {
  test('render as in Go, or are refused where Go refuses them', () => {
    const differing = drawn
      .map(({ template, output }) => ({ template, output, ours: outcome(template) }))
      .filter(({ output, ours }) => output !== ours && ours !== 'left out');
    expect(differing).toEqual([]);
  });

  test('are hundreds that Go accepts', () => {
    expect(drawn.filter(({ output }) => output !== null).length).toBeGreaterThan(300);
  });
});
