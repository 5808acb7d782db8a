/**
 * Renders random templates here and with Go, and compares the results: `tsx test/controller/artifact/template/compare-with-go.ts [COUNT [SEED [FILE]]]`.
 * Prints every difference. With FILE, writes the templates and Go's results there. Requires Go.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { render } from '../../../../controller/artifact/template/render.js';
import { TemplateGenerator } from './template-generator.js';
import { resultsOfGo } from './oracle/results.js';

const [count = '5000', seed = '1', file] = process.argv.slice(2);
const { values } = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8')) as {
  values: Record<string, string>;
};

function ours(template: string): { text?: string; error?: string } {
  try {
    return { text: render(template, values) };
  } catch (error) {
    if (error instanceof Error && error.name === 'TemplateError') return { error: error.message };
    throw new Error(`on ${JSON.stringify(template)}`, { cause: error });
  }
}

const generator = new TemplateGenerator(Number(seed));
const templates = [...new Set(Array.from({ length: Number(count) }, () => generator.template()))];
const results = resultsOfGo(templates, values);
const tally = { templates: templates.length, acceptedByGo: 0, same: 0, rejectedHereOnly: 0, wrong: 0 };
templates.forEach((template, index) => {
  const expected = results[index];
  const { text, error } = ours(template);
  if (expected !== undefined) tally.acceptedByGo += 1;
  if (text === expected) tally.same += 1;
  else {
    const kind = text === undefined ? 'rejectedHereOnly' : 'wrong';
    tally[kind] += 1;
    console.log(kind, JSON.stringify({ template, go: expected ?? null, ours: text ?? error }));
  }
});
console.log(JSON.stringify(tally));
if (file !== undefined) {
  const cases = templates.map((template, index) => ({ template, output: results[index] ?? null }));
  writeFileSync(file, `${JSON.stringify(cases, undefined, 1)}\n`);
}
if (tally.wrong > 0) process.exitCode = 1;
