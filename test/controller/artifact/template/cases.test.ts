/** Templates with the result of Go for each, or with its rejection. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { TemplateError } from '../../../../controller/artifact/template/errors.js';
import { render } from '../../../../controller/artifact/template/render.js';

interface Case {
  name: string;
  template: string;
  output?: string;
  refused?: boolean;
}

const { values, cases } = JSON.parse(readFileSync('test/controller/artifact/template/cases.json', 'utf8')) as {
  values: Record<string, string>;
  cases: Case[];
};

describe('a template renders as in Go', () => {
  test.each(cases.filter(each => !each.refused).map(each => [each.name, each] as const))('%s', (_, each) => {
    expect(render(each.template, values)).toBe(each.output);
  });
});

describe('a template that Go rejects is rejected', () => {
  test.each(cases.filter(each => each.refused).map(each => [each.name, each] as const))('%s', (_, each) => {
    expect(() => render(each.template, values)).toThrow(TemplateError);
  });
});
