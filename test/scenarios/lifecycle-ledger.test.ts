/** The NodeAgent of a node under way, or what is written in it, is taken away by somebody: it ends as if nothing had been. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../api/kinds.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import type { Mutation } from '../fakes/cluster/program.js';
import { SETTLED, commandLasting, nodesNamed, ONLY_N1, REBOOT, WEB } from './lifecycle-setup.js';
import { retried } from './lifecycle-scenarios.js';
import { type FaultPlan, runScenario, type ScenarioResult } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import { runWithFaults, printKillPointCount } from './run-with-faults.js';

type Thief = (cluster: FakeCluster) => void;

const AT = { name: 'n1' };
const isThere = ({ api }: FakeCluster) => api.find(NODE_AGENT, AT) !== undefined;

/** Its finalizer holds it until the walk is over. */
const deleted: Thief = cluster => cluster.delete(NODE_AGENT, AT);
const torn: Thief = ({ api }) => api.forceRemove(NODE_AGENT, AT);
const emptied: Thief = cluster => {
  if (isThere(cluster)) cluster.api.patch(NODE_AGENT, AT, { metadata: { finalizers: [] }, spec: { operation: null } });
};

const SPEC = { ...REBOOT, settleSeconds: 20, ...ONLY_N1 };
const WELL = {
  operations: { op: { phase: 'Completed', nodes: { n1: 'Completed Done completed' } } },
  nodes: { n1: { cordoned: false, claimedBy: undefined, shutdowns: 'agent' } },
};

const first: Scenario = {
  name: 'a node is drained and rebooted',
  cluster: { nodes: nodesNamed('n1', 'n2'), ...WEB, ...commandLasting(30) },
  run: async cluster => {
    await cluster.runFor(20);
    cluster.apply(NODE_OP, nodeOp('op', SPEC));
  },
  expected: { ...WELL, commands: { 'n1 op': 1 } },
};

const isOfSecondAttempt = ({ body }: Mutation) => (JSON.stringify(body) ?? '').includes('-2"');

/** Just before each act of anybody, once the attempt has begun. */
function thefts(calm: ScenarioResult, thief: Thief): FaultPlan[] {
  const from = Math.max(calm.mutations.findIndex(isOfSecondAttempt), 0);
  return calm.mutations.slice(from).map(({ program, number }) => ({
    program,
    mutation: number,
    description: 'the NodeAgent taken away before it',
    fault: cluster => ({ kind: 'runBefore', call: () => thief(cluster) }),
  }));
}

afterAll(printKillPointCount);

describe('left alone', () => {
  test.each([[first.name, first] as const, [retried.name, retried] as const])('%s', async (_sentence, story) => {
    const { outcome } = await runScenario(story);
    expect(outcome).toMatchObject({ ...SETTLED, ...story.expected });
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
      expect(
        await runWithFaults(first, calm => thefts(calm, thief).filter((_plan, index) => index % step === 0)),
      ).toEqual([]);
    },
    120_000,
  );

  test.each([
    ['torn away, finalizer and all,', torn, 4],
    ['emptied of its claim', emptied, 3],
  ] as const)(
    '%s before any act of a second attempt: one more Job, one reboot, the same ending',
    async (_words, thief, step) => {
      expect(
        await runWithFaults(retried, calm => thefts(calm, thief).filter((_plan, index) => index % step === 0)),
      ).toEqual([]);
    },
    120_000,
  );
});
