/** The NodeAgent of a node under way, or what is written in it, is taken away by somebody: it ends as if nothing had been. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/objects.js';
import type { Act } from '../fakes/cluster/program.js';
import { CALM, lasts, nodes, ONLY_N1, REBOOT, WEB } from './lifecycle-setup.js';
import { retried } from './lifecycle-stories.js';
import { type Plan, tell, type Told } from './replay.js';
import type { Story } from './story.js';
import { sweep, tellTried } from './sweep.js';

type Thief = (cluster: FakeCluster) => void;

const AT = { name: 'n1' };
const isThere = ({ api }: FakeCluster) => api.find(NODE_AGENT, AT) !== undefined;

/** Its finalizer holds it until the walk is over. */
const deleted: Thief = cluster => cluster.delete(NODE_AGENT, AT);
const torn: Thief = ({ api }) => api.drop(NODE_AGENT, AT);
const emptied: Thief = cluster => {
  if (isThere(cluster)) cluster.api.patch(NODE_AGENT, AT, { metadata: { finalizers: [] }, spec: { operation: null } });
};

const SPEC = { ...REBOOT, settleSeconds: 20, ...ONLY_N1 };
const WELL = {
  operations: { op: { phase: 'Completed', nodes: { n1: 'Completed Done completed' } } },
  nodes: { n1: { cordoned: false, heldBy: undefined, downs: 'agent' } },
};

const first: Story = {
  name: 'a node is drained and rebooted',
  cluster: { nodes: nodes('n1', 'n2'), ...WEB, ...lasts(30) },
  play: async cluster => {
    await cluster.run(20);
    cluster.apply(NODE_OP, nodeOp('op', SPEC));
  },
  ends: { ...WELL, commands: { 'n1 op': 1 } },
};

const isOfSecondAttempt = ({ body }: Act) => (JSON.stringify(body) ?? '').includes('-2"');

/** Just before each act of anybody, once the attempt has begun. */
function thefts(calm: Told, thief: Thief): Plan[] {
  const from = Math.max(calm.acts.findIndex(isOfSecondAttempt), 0);
  return calm.acts.slice(from).map(({ program, number }) => ({
    program,
    act: number,
    what: 'the NodeAgent taken away before it',
    mishap: cluster => ({ is: 'meanwhile', call: () => thief(cluster) }),
  }));
}

afterAll(tellTried);

describe('left alone', () => {
  test.each([[first.name, first] as const, [retried.name, retried] as const])('%s', async (_sentence, story) => {
    const { ending } = await tell(story);
    expect(ending).toMatchObject({ ...CALM, ...story.ends });
  });
});

describe('a NodeAgent', () => {
  test.each([
    ['deleted', deleted, 6],
    ['torn away, finalizer and all,', torn, 3],
    ['emptied of its claim', emptied, 3],
  ] as const)(
    '%s before any act: one Job, one reboot, the same ending',
    async (_words, thief, step) => {
      expect(await sweep(first, calm => thefts(calm, thief).filter((_plan, index) => index % step === 0))).toEqual([]);
    },
    120_000,
  );

  test.each([
    ['torn away, finalizer and all,', torn, 4],
    ['emptied of its claim', emptied, 3],
  ] as const)(
    '%s before any act of a second attempt: one more Job, one reboot, the same ending',
    async (_words, thief, step) => {
      expect(await sweep(retried, calm => thefts(calm, thief).filter((_plan, index) => index % step === 0))).toEqual(
        [],
      );
    },
    120_000,
  );
});
