/** A NodeOp is deleted, at any moment of its walk: nothing of it is left, and nothing of it happens later. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { CONTROL_PLANE_LEASE } from '../../api/names.js';
import type { Stored } from '../../kube/kube.js';
import { LEASES } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import { contents, deleteNamespace } from '../fakes/cluster/namespace.js';
import { nodeOp } from '../fakes/cluster/objects.js';
import { OWN_NAMESPACE } from '../fakes/cluster/programs.js';
import { abandons, deletes, FREE, lasts, ONLY_N1, REBOOT, WEB } from './lifecycle-setup.js';
import { type Plan, tell, type Told } from './replay.js';
import type { Story } from './story.js';

const whole: Story = {
  name: 'every step there is',
  cluster: { nodes: [{ name: 'n1', controlPlane: true }, { name: 'n2' }], ...WEB, ...lasts(30) },
  play: async cluster => {
    await cluster.run(20);
    const spec = { ...REBOOT, ...ONLY_N1, preflight: { command: ['true'] }, settleSeconds: 10 };
    cluster.apply(NODE_OP, nodeOp('op', spec));
  },
  ends: {},
};

interface Lease extends Stored {
  spec: { holderIdentity?: string };
}
const TURN = { name: CONTROL_PLANE_LEASE, namespace: OWN_NAMESPACE };

/** Just before each act of anybody, once there is anything to delete. */
const before = (calm: Told, how: (cluster: FakeCluster) => void): Plan[] =>
  calm.acts.slice(calm.acts.findIndex(({ name }) => name === 'patch nodeops op')).map(({ program, number, name }) => ({
    program,
    act: number,
    what: name,
    mishap: cluster => ({ is: 'meanwhile', call: () => how(cluster) }),
  }));

/** What is left, and what should not be; empty: nothing. */
async function remainsOf(plan: Plan): Promise<object[]> {
  const { ending, cluster, met } = await tell(whole, plan);
  const once = cluster.machine('n1').downs;
  const wishes = ending.commands['n1 op'] ?? 0;
  const wanted = {
    settled: true,
    finalizers: [],
    ranHot: [],
    operations: {},
    nodes: { n1: FREE, n2: FREE },
    jobsLeft: [],
  };
  try {
    expect(met).toBe(true);
    expect(ending).toMatchObject(wanted);
    expect(cluster.api.find<Lease>(LEASES, TURN)?.spec.holderIdentity ?? '').toBe('');
    expect(once.length).toBeLessThanOrEqual(wishes);
    expect(wishes).toBeLessThanOrEqual(1);
    expect(contents(cluster.api, 'default').filter(name => !name.includes('/web'))).toEqual([]);
    await cluster.run(1800);
    expect(cluster.machine('n1').downs).toEqual(once);
    return [];
  } catch (error) {
    return [{ plan, error: String(error) }];
  }
}

describe('deleted before any act', () => {
  test.each([
    ['all is undone, and what goes on is waited for', deletes, 3],
    ['with abandon all is undone at once', abandons, 4],
    ['with its whole namespace all is undone', ({ api }: FakeCluster) => deleteNamespace(api, 'default'), 4],
  ] as const)(
    '%s: the cluster is as it was',
    async (_words, how, step) => {
      const plans = before(await tell(whole), how).filter((_plan, index) => index % step === 0);
      const left: object[] = [];
      for (const plan of plans) left.push(...(await remainsOf(plan)));
      expect(left).toEqual([]);
    },
    120_000,
  );
});
