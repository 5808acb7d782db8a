/** Someone deletes the NodeAgent of a node in the middle of its walk, or clears its claim: the outcome is the same. */
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

type Tamper = (cluster: FakeCluster) => void;

const AT = { name: 'n1' };
const isThere = ({ api }: FakeCluster) => api.find(NODE_AGENT, AT) !== undefined;

/** Its finalizer keeps the object until the walk has ended. */
const deleted: Tamper = cluster => cluster.delete(NODE_AGENT, AT);
const forceRemoved: Tamper = ({ api }) => api.forceRemove(NODE_AGENT, AT);
const cleared: Tamper = cluster => {
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

/** Plans that tamper with the NodeAgent before each mutation of any program, from the start of the last attempt on. */
function tamperPlans(baseline: ScenarioResult, tamper: Tamper): FaultPlan[] {
  const from = Math.max(baseline.mutations.findIndex(isOfSecondAttempt), 0);
  return baseline.mutations.slice(from).map(({ program, number }) => ({
    program,
    mutation: number,
    description: 'the NodeAgent removed or cleared before it',
    fault: cluster => ({ kind: 'runBefore', call: () => tamper(cluster) }),
  }));
}

afterAll(printKillPointCount);

describe('without tampering', () => {
  test.each([[first.name, first] as const, [retried.name, retried] as const])(
    '"%s" has the expected outcome',
    async (_sentence, scenario) => {
      const { outcome } = await runScenario(scenario);
      expect(outcome).toMatchObject({ ...SETTLED, ...scenario.expected });
    },
  );
});

describe('a NodeAgent', () => {
  test.each([
    ['deleted', deleted, 6],
    ['removed together with its finalizer', forceRemoved, 3],
    ['cleared of its claim', cleared, 3],
  ] as const)(
    '%s before any write leads to one Job, one reboot and the same outcome',
    async (_words, tamper, step) => {
      expect(
        await runWithFaults(first, baseline =>
          tamperPlans(baseline, tamper).filter((_plan, index) => index % step === 0),
        ),
      ).toEqual([]);
    },
    120_000,
  );

  test.each([
    ['removed together with its finalizer', forceRemoved, 4],
    ['cleared of its claim', cleared, 3],
  ] as const)(
    '%s before any write of a second attempt leads to one more Job, one reboot and the same outcome',
    async (_words, tamper, step) => {
      expect(
        await runWithFaults(retried, baseline =>
          tamperPlans(baseline, tamper).filter((_plan, index) => index % step === 0),
        ),
      ).toEqual([]);
    },
    120_000,
  );
});
