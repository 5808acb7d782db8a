/** Evictions that have to wait, or that lead to nothing. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import { KubeError } from '../../kube/errors.js';
import { PDBS, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { PodObject } from '../fakes/cluster/kinds.js';
import { nodeOp } from '../fakes/cluster/objects.js';
import { disturbed } from './outcome.js';
import { CALM, DRAIN, FREE, messageOf, nodes, ONLY_N1, until } from './lifecycle-setup.js';
import { tell } from './replay.js';

const begins = (cluster: FakeCluster, spec: object) =>
  void cluster.apply(NODE_OP, nodeOp('op', { ...ONLY_N1, ...spec }));

/** When each Pod was asked to leave, in seconds. */
function asked({ acts }: FakeCluster): Record<string, number[]> {
  const times: Record<string, number[]> = {};
  for (const { name, at } of acts.filter(act => act.name.startsWith('evict pod ')))
    (times[name] ??= []).push(Math.round(at / 1000));
  return times;
}

const gaps = (times: readonly number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

const DRAINED = {
  operations: { op: { phase: 'Completed', nodes: { n1: 'Completed Done not-requested' } } },
  nodes: { n1: FREE, n2: FREE },
};

describe('an eviction', () => {
  test('that is to be asked again in 20 s is not asked before', async () => {
    const busy = new KubeError(429, 'too many requests', 'TooManyRequests', { retryAfterSeconds: 20 });
    const { ending, cluster } = await tell({
      name: '',
      cluster: { nodes: nodes('n1', 'n2'), workloads: [{ name: 'web', replicas: 2 }] },
      play: async it => {
        await it.run(20);
        it.api.admission = ({ verb }) => (verb === 'evict' ? busy : undefined);
        begins(it, DRAIN);
        await until(it, () => Object.keys(asked(it)).length > 0);
        await it.run(55);
        it.api.admission = () => undefined;
      },
      ends: {},
    });
    expect(ending).toMatchObject({ ...CALM, ...DRAINED });
    expect(Object.values(asked(cluster)).map(gaps)).toEqual([[20, 20, 20]]);
  });

  test('of a Pod under two budgets is waited for, and both it and the trouble are named', async () => {
    const { ending, cluster } = await tell({
      name: '',
      cluster: {
        nodes: nodes('n1', 'n2'),
        workloads: [{ name: 'web', replicas: 2 }],
        budgets: ['one', 'two'].map(name => ({ name, guards: 'web', maxUnavailable: 1 })),
      },
      play: async it => {
        await it.run(20);
        begins(it, DRAIN);
        await until(it, () => messageOf(it).includes('more than one PodDisruptionBudget'));
        expect(messageOf(it)).toMatch(/default\/web-\d+/);
        await it.run(60);
        expect(disturbed(it)).toEqual({});
        it.delete(PDBS, { name: 'two', namespace: 'default' });
      },
      ends: {},
    });
    expect(ending).toMatchObject({ ...CALM, ...DRAINED });
    expect(disturbed(cluster)).toEqual({ web: 1 });
  });

  test('of a Pod that its controller puts back on the node is not asked for again', async () => {
    const { ending, cluster } = await tell({
      name: '',
      cluster: { nodes: nodes('n1', 'n2'), workloads: [{ name: 'stubborn', replicas: 1, pinnedTo: 'n1' }] },
      play: async it => {
        await it.run(20);
        begins(it, { cordon: true, drainOptions: { enabled: true, timeoutSeconds: 120 } });
        await until(it, () => messageOf(it).includes('put back on this node by ReplicaSet'));
        await it.run(60);
        const there = it.api.all<PodObject>(PODS).filter(({ metadata }) => metadata.labels?.app === 'stubborn');
        expect(there.map(({ metadata }) => metadata.deletionTimestamp)).toEqual([undefined]);
        expect(messageOf(it)).toContain(`default/${there[0]?.metadata.name} put back`);
      },
      ends: {},
    });
    expect(ending).toMatchObject({
      ...CALM,
      operations: { op: { phase: 'Failed', nodes: { n1: 'Failed DrainTimeout not-requested' } } },
      nodes: { n1: FREE },
    });
    expect(disturbed(cluster)).toEqual({ stubborn: 1 });
    expect(cluster.started.filter(({ container }) => container === CONTAINERS.work)).toEqual([]);
  });
});
