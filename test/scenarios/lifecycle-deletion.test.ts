/** A NodeOp is deleted at any moment of its walk: no trace is left, and nothing happens later. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { CONTROL_PLANE_LEASE } from '../../api/names.js';
import type { Stored } from '../../kube/kube.js';
import { LEASES } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { namespaceContents, deleteNamespace } from '../fakes/cluster/namespace-controller.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { OWN_NAMESPACE } from '../fakes/cluster/operator-programs.js';
import type { Mutation } from '../fakes/cluster/program.js';
import { abandonNodeOp, deleteNodeOp, RELEASED, commandLasting, ONLY_N1, REBOOT, WEB } from './lifecycle-setup.js';
import { type FaultPlan, runScenario, type ScenarioResult } from './run-scenario.js';
import type { Scenario } from './scenario.js';

const whole: Scenario = {
  name: 'an operation with every step',
  cluster: { nodes: [{ name: 'n1', controlPlane: true }, { name: 'n2' }], ...WEB, ...commandLasting(30) },
  run: async cluster => {
    await cluster.runFor(20);
    const spec = { ...REBOOT, ...ONLY_N1, preflight: { command: ['true'] }, settleSeconds: 10 };
    cluster.apply(NODE_OP, nodeOp('op', spec));
  },
  expected: {},
};

interface Lease extends Stored {
  spec: { holderIdentity?: string };
}
const TURN_LEASE = { name: CONTROL_PLANE_LEASE, namespace: OWN_NAMESPACE };

/** Plans that delete the NodeOp before each mutation of any program, from the first write to it on. */
const before = (baseline: ScenarioResult, how: (cluster: FakeCluster) => void): FaultPlan[] =>
  baseline.mutations
    .slice(baseline.mutations.findIndex(({ name }) => name === 'patch nodeops op'))
    .map(({ program, number, name }) => ({
      program,
      mutation: number,
      description: name,
      fault: cluster => ({ kind: 'runBefore', call: () => how(cluster) }),
    }));

/** The violated expectations of one run; empty when nothing was left. */
async function leftoversAfter(plan: FaultPlan): Promise<object[]> {
  const { outcome, cluster, faultInjected } = await runScenario(whole, plan);
  const once = cluster.machine('n1').shutdowns;
  const runs = outcome.commands['n1 op'] ?? 0;
  const wanted = {
    settled: true,
    finalizers: [],
    hotLooped: [],
    operations: {},
    nodes: { n1: RELEASED, n2: RELEASED },
    jobsLeft: [],
  };
  try {
    expect(faultInjected).toBe(true);
    expect(outcome).toMatchObject(wanted);
    expect(cluster.api.find<Lease>(LEASES, TURN_LEASE)?.spec.holderIdentity ?? '').toBe('');
    expect(once.length).toBeLessThanOrEqual(runs);
    expect(runs).toBeLessThanOrEqual(1);
    expect(namespaceContents(cluster.api, 'default').filter(name => !name.includes('/web'))).toEqual([]);
    await cluster.runFor(1800);
    expect(cluster.machine('n1').shutdowns).toEqual(once);
    return [];
  } catch (error) {
    return [{ plan, error: String(error) }];
  }
}

describe('a NodeOp deleted before any write', () => {
  test.each([
    ['waits for its running work and restores the cluster', deleteNodeOp, 3],
    ['restores the cluster at once with the abandon annotation', abandonNodeOp, 4],
    [
      'restores the cluster when its whole namespace is deleted',
      ({ api }: FakeCluster) => deleteNamespace(api, 'default'),
      4,
    ],
  ] as const)(
    '%s',
    async (_outcome, how, step) => {
      const plans = before(await runScenario(whole), how).filter((_plan, index) => index % step === 0);
      const left: object[] = [];
      for (const plan of plans) left.push(...(await leftoversAfter(plan)));
      expect(left).toEqual([]);
    },
    120_000,
  );
});

test('the Job of a NodeOp deleted before the Job was resumed is never started by the next leader', async () => {
  const { mutations } = await runScenario(whole);
  const isResume = ({ program, name, body }: Mutation) =>
    program === 'controller-a' && name.startsWith('patch jobs') && JSON.stringify(body).includes('"suspend":false');
  const resume = mutations.find(isResume);
  const { outcome, faultInjected } = await runScenario(whole, {
    program: 'controller-a',
    mutation: resume?.number ?? 0,
    description: 'killed before the resume, and the NodeOp deleted meanwhile',
    fault: cluster => {
      deleteNodeOp(cluster);
      return { kind: 'killBefore' };
    },
  });
  expect(faultInjected).toBe(true);
  expect(outcome).toMatchObject({ settled: true, jobsLeft: [], nodes: { n1: RELEASED } });
  expect([outcome.operations, outcome.commands]).toEqual([{}, {}]);
});
