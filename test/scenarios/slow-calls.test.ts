/** Calls to the API server take seconds, and a program has a limited number of connections. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { LEADER_LEASE } from '../../api/names.js';
import { LEASES } from '../../kube/resources.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp, type NodeOptions } from '../fakes/cluster/object-builders.js';
import { OWN_NAMESPACE } from '../fakes/cluster/operator-programs.js';
import { DRAIN, runUntil, untilCommandRuns, untilFinished } from './lifecycle-setup.js';

const named = (prefix: string, count: number): NodeOptions[] =>
  Array.from({ length: count }, (_, index) => ({ name: `${prefix}${index + 1}`, labels: { pool: prefix } }));

const inPool = (pool: string) => ({ nodeSelector: { matchLabels: { pool } } });

interface LeaseObject {
  metadata: { name: string; uid: string; resourceVersion: string };
  spec?: { holderIdentity?: string; leaseTransitions?: number };
}

/** A second replica competes for the lease, so that a lost one is taken. */
async function startedCluster(options: Parameters<typeof fakeCluster>[0]): Promise<FakeCluster> {
  const cluster = fakeCluster(options);
  await cluster.start();
  cluster.controllers[1]?.start();
  await cluster.runFor(20);
  return cluster;
}

const leadership = ({ api, controllers }: FakeCluster) => {
  const { holderIdentity, leaseTransitions } =
    api.find<LeaseObject>(LEASES, { namespace: OWN_NAMESPACE, name: LEADER_LEASE })?.spec ?? {};
  return { holderIdentity, leaseTransitions, starts: controllers.map(({ starts }) => starts) };
};

const KEPT = { holderIdentity: 'controller-a', leaseTransitions: 0, starts: [1, 1, 0] };

describe('while every eviction takes 1 s', () => {
  test('a drain of 400 pods finishes under the leader that began it, and another operation goes on', async () => {
    const nodes = [...named('n', 4), ...named('spare', 1), ...named('other', 1)];
    const cluster = await startedCluster({ nodes, workloads: [{ name: 'web', replicas: 600 }] });
    cluster.api.callSeconds = ({ verb }) => (verb === 'evict' ? 1 : 0);
    cluster.apply(NODE_OP, nodeOp('op', { ...DRAIN, ...inPool('n'), concurrency: 0 }));
    await runUntil(cluster, () => cluster.mutations.some(({ name }) => name.startsWith('evict')));
    cluster.apply(NODE_OP, nodeOp('other', inPool('other')));
    await runUntil(cluster, () => cluster.nodeOp('other')?.status?.phase === 'Completed', 60);
    expect(cluster.nodeOp('op')?.status?.phase).toBe('Running');
    await untilFinished(cluster);
    expect(cluster.mutations.filter(({ name }) => name.startsWith('evict')).length).toBeGreaterThanOrEqual(400);
    expect([cluster.nodeOp('op')?.status?.phase, leadership(cluster)]).toEqual(['Completed', KEPT]);
  });
});

const isHeld = (verb: string, plural: string) =>
  verb !== 'get' && verb !== 'list' && (plural === 'pods' || plural === 'jobs');

describe('while an admission webhook that does not answer holds every write to a Pod or Job for 10 s', () => {
  test('66 nodes of three operations finish under the leader that began them, and a node that has its Job is rebooted meanwhile', async () => {
    const pools = ['a', 'b', 'c'];
    const cluster = await startedCluster({
      nodes: [...pools.flatMap(pool => named(pool, 22)), ...named('other', 1)],
    });
    cluster.apply(NODE_OP, nodeOp('other', { ...inPool('other'), cordon: true, rebootOnSuccess: true }));
    await untilCommandRuns(cluster, 'other1');
    cluster.api.callSeconds = ({ verb, plural }) => (isHeld(verb, plural) ? 10 : 0);
    for (const pool of pools) cluster.apply(NODE_OP, nodeOp(pool, { ...inPool(pool), cordon: true, concurrency: 0 }));
    const phases = () => pools.map(pool => cluster.nodeOp(pool)?.status?.phase);
    await runUntil(cluster, () => cluster.nodeOp('other')?.status?.phase === 'Completed', 60);
    expect(phases()).toEqual(['Running', 'Running', 'Running']);
    for (const pool of pools) await untilFinished(cluster, pool);
    expect([phases(), leadership(cluster)]).toEqual([['Completed', 'Completed', 'Completed'], KEPT]);
  });
});
