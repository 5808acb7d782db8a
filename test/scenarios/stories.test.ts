import { expect, test } from '@jest/globals';
import { tell } from './replay.js';
import * as stories from './stories.js';

const rows = Object.values(stories).map(story => [story.name, story] as const);

test.each(rows)('%s', async (_sentence, story) => {
  const { ending } = await tell(story);
  expect(ending).toMatchObject({ settled: true, finalizers: [], ranHot: [], ...story.ends });
});

test.each(rows)('%s: told twice, it is the same to the last act', async (_sentence, story) => {
  const [first, second] = [await tell(story), await tell(story)];
  expect(second.acts).toEqual(first.acts);
});
