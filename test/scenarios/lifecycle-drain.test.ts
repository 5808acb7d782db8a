/** Evictions that must wait, or that have no effect. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { KubeError } from '../../kube/errors.js';
import { PDBS, PODS } from '../../kube/resources.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { PodObject } from '../fakes/cluster/object-types.js';
import { nodeOp } from '../fakes/cluster/object-builders.js';
import { removedPodsByApp } from './outcome.js';
import { SETTLED, DRAIN, RELEASED, nodeMessage, nodesNamed, ONLY_N1, runUntil } from './lifecycle-setup.js';
import { runScenario } from './run-scenario.js';

const createNodeOp = (cluster: FakeCluster, spec: object) =>
  void cluster.apply(NODE_OP, nodeOp('op', { ...ONLY_N1, ...spec }));

/** The times of the eviction requests for each Pod, in seconds. */
function evictionTimes({ mutations }: FakeCluster): Record<string, number[]> {
  const times: Record<string, number[]> = {};
  for (const { name, at } of mutations.filter(mutation => mutation.name.startsWith('evict pod ')))
    (times[name] ??= []).push(Math.round(at / 1000));
  return times;
}

const gaps = (times: readonly number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

const DRAINED = {
  operations: { op: { phase: 'Completed', nodes: { n1: 'Completed Done not-requested' } } },
  nodes: { n1: RELEASED, n2: RELEASED },
};

describe('an eviction', () => {
  test('is not retried before the Retry-After of 20 s', async () => {
    const busy = new KubeError(429, 'too many requests', 'TooManyRequests', { retryAfterSeconds: 20 });
    const { outcome, cluster } = await runScenario({
      name: '',
      cluster: { nodes: nodesNamed('n1', 'n2'), workloads: [{ name: 'web', replicas: 2 }] },
      run: async it => {
        await it.runFor(20);
        it.api.admission = ({ verb }) => (verb === 'evict' ? busy : undefined);
        createNodeOp(it, DRAIN);
        await runUntil(it, () => Object.keys(evictionTimes(it)).length > 0);
        await it.runFor(55);
        it.api.admission = () => undefined;
      },
      expected: {},
    });
    expect(outcome).toMatchObject({ ...SETTLED, ...DRAINED });
    expect(Object.values(evictionTimes(cluster)).map(gaps)).toEqual([[20, 20, 20]]);
  });

  test('of a Pod under two budgets is waited for, and the message names the Pod and the error', async () => {
    const { outcome, cluster } = await runScenario({
      name: '',
      cluster: {
        nodes: nodesNamed('n1', 'n2'),
        workloads: [{ name: 'web', replicas: 2 }],
        budgets: ['one', 'two'].map(name => ({ name, workload: 'web', maxUnavailable: 1 })),
      },
      run: async it => {
        await it.runFor(20);
        createNodeOp(it, DRAIN);
        await runUntil(it, () => nodeMessage(it).includes('more than one PodDisruptionBudget'));
        expect(nodeMessage(it)).toMatch(/default\/web-\d+/);
        await it.runFor(60);
        expect(removedPodsByApp(it)).toEqual({});
        it.delete(PDBS, { name: 'two', namespace: 'default' });
      },
      expected: {},
    });
    expect(outcome).toMatchObject({ ...SETTLED, ...DRAINED });
    expect(removedPodsByApp(cluster)).toEqual({ web: 1 });
  });

  test('of a Pod that its controller recreates on the node happens once, and the Pod is no obstacle', async () => {
    const { outcome, cluster } = await runScenario({
      name: '',
      cluster: {
        nodes: nodesNamed('n1', 'n2'),
        workloads: [
          { name: 'stubborn', replicas: 1, pinnedTo: 'n1' },
          { name: 'web', replicas: 3 },
        ],
        budgets: [{ name: 'web', workload: 'web', maxUnavailable: 0 }],
      },
      run: async it => {
        await it.runFor(20);
        createNodeOp(it, { cordon: true, drainOptions: { enabled: true, timeoutSeconds: 120 } });
        await runUntil(it, () => nodeMessage(it).includes('recreated on this node by ReplicaSet'));
        const there = it.api.all<PodObject>(PODS).filter(({ metadata }) => metadata.labels?.app === 'stubborn');
        expect(nodeMessage(it)).toContain(`default/${there.at(-1)?.metadata.name} recreated`);
        await it.runFor(30);
        it.delete(PDBS, { name: 'web', namespace: 'default' });
      },
      expected: {},
    });
    expect(outcome).toMatchObject({ ...SETTLED, ...DRAINED });
    expect(removedPodsByApp(cluster)).toMatchObject({ stubborn: 1 });
  });

  test('is over at once when only a Pod is left that its controller recreated on the node', async () => {
    const { outcome, cluster } = await runScenario({
      name: '',
      cluster: { nodes: nodesNamed('n1', 'n2'), workloads: [{ name: 'stubborn', replicas: 1, pinnedTo: 'n1' }] },
      run: async it => {
        await it.runFor(20);
        createNodeOp(it, { cordon: true, drainOptions: { enabled: true, timeoutSeconds: 120 } });
      },
      expected: {},
    });
    expect(outcome).toMatchObject({ ...SETTLED, ...DRAINED });
    expect(removedPodsByApp(cluster)).toEqual({ stubborn: 1 });
  });

  test('of a Pod without an owner that something creates again under another name ends, and the message names it', async () => {
    const { outcome, cluster } = await runScenario({
      name: '',
      cluster: { nodes: nodesNamed('n1', 'n2') },
      run: async it => {
        await it.runFor(20);
        keepWithoutOwner(it);
        createNodeOp(it, { cordon: true, drainOptions: { enabled: true, force: true, timeoutSeconds: 0 } });
        await runUntil(it, () => /default\/agent-2 recreated on this node by something/.test(nodeMessage(it)));
      },
      expected: {},
    });
    expect(outcome).toMatchObject({ ...SETTLED, ...DRAINED });
    expect(Object.keys(evictionTimes(cluster))).toHaveLength(2);
  });
});

/** As a program outside of Kubernetes does it, with the name of the node in the Pod. */
function keepWithoutOwner({ api }: FakeCluster): void {
  let created = 0;
  const create = () => {
    const isThere = ({ metadata }: PodObject) => metadata.name.startsWith('agent-') && !metadata.deletionTimestamp;
    if (api.all<PodObject>(PODS).some(isThere)) return;
    api.put(PODS, {
      metadata: { name: `agent-${created++}`, namespace: 'default' },
      spec: { nodeName: 'n1', containers: [{ name: 'agent', image: 'agent' }] },
      status: { phase: 'Pending' },
    });
  };
  create();
  api.onChange(plural => plural === PODS.plural && create());
}
