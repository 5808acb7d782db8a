import { expect, test } from '@jest/globals';
import { runScenario } from './run-scenario.js';
import * as stories from './scenarios.js';

const rows = Object.values(stories).map(story => [story.name, story] as const);

test.each(rows)('%s', async (_sentence, story) => {
  const { outcome } = await runScenario(story);
  expect(outcome).toMatchObject({ settled: true, finalizers: [], hotLooped: [], ...story.expected });
});

test.each(rows)('%s: told twice, it is the same to the last act', async (_sentence, story) => {
  const [first, second] = [await runScenario(story), await runScenario(story)];
  expect(second.mutations).toEqual(first.mutations);
});
