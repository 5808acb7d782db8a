/** Every watch is cut with 410 at once, and what was on its way is lost: who watches lists again, and misses nothing. */
import { afterAll, expect, test } from '@jest/globals';
import { NODE_AGENT } from '../../api/kinds.js';
import { PODS } from '../../kube/resources.js';
import { type Plan, tell, type Told } from './replay.js';
import * as stories from './stories.js';
import { sweep, tellTried } from './sweep.js';

const { drained, rebooted, deletedInDrain, upgraded } = stories;

/** So that there always is something on its way. */
const LATE_MS = 1_500;

const cuts = (calm: Told): Plan[] =>
  calm.acts.map(({ program, number }) => ({
    program,
    act: number,
    what: 'all watches cut before it',
    prepare: cluster => void (cluster.delay = () => LATE_MS),
    mishap: cluster => ({ is: 'meanwhile', call: () => cluster.api.compact() }),
  }));

/** Of all acts. */
const ONE_IN = 12;

afterAll(tellTried);

test('all watches cut: everybody lists again, once', async () => {
  const { cluster } = await tell(drained);
  cluster.api.listed.clear();
  cluster.api.compact();
  await cluster.run(60);
  expect(cluster.api.listed.get(PODS.plural)).toBe(1);
  expect(cluster.api.listed.get(NODE_AGENT.plural)).toBe(1 + cluster.machines.size);
});

test.each([drained, rebooted, deletedInDrain, upgraded].map(story => [story.name, story] as const))(
  'all watches cut before any act of "%s": the same ending',
  async (_sentence, story) => {
    expect(await sweep(story, calm => cuts(calm).filter((_plan, index) => index % ONE_IN === 0))).toEqual([]);
  },
  120_000,
);
