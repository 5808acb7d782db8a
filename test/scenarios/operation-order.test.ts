import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { CONTAINERS } from '../../api/names.js';
import type { NodeAgent } from '../../api/objects.js';
import { type FakeCluster, fakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { commandLasting, nodesNamed, runUntil, untilCommandRuns } from './lifecycle-setup.js';

const releaseOf = (version: string) => KAIROS_RELEASE.replace(/KAIROS_VERSION=.*/, `KAIROS_VERSION="${version}"`);
const IMAGES = {
  'registry.example/kairos:6': { release: releaseOf('v6.0.0') },
  'registry.example/kairos:7': { release: releaseOf('v7.0.0') },
};
const OLD = { '/etc/kairos-release': releaseOf('v5.0.0') };

async function started(): Promise<FakeCluster> {
  const cluster = fakeCluster({ nodes: nodesNamed('n1', 'n2', 'n3'), ...commandLasting(60) });
  await cluster.start();
  return cluster;
}

const upgradeTo = (version: number, spec: object = {}) =>
  nodeOpUpgrade(`to-${version}`, { image: `registry.example/kairos:${version}`, concurrency: 1, ...spec });

/** The operations whose commands ran on the node, in their order. */
const ranOn = ({ containerRuns }: FakeCluster, node: string): string[] =>
  containerRuns
    .filter(run => run.node === node && run.container === CONTAINERS.work)
    .toSorted((a, b) => a.at - b.at)
    .map(({ pod }) => pod.split('-')[0] ?? '');

const entryOf = (cluster: FakeCluster, name: string, node: string) =>
  cluster.nodeOp(name)?.status?.nodeStatuses?.[node];
const versionsOf = ({ api, machines }: FakeCluster) =>
  [...machines.keys()].map(name => api.find<NodeAgent>(NODE_AGENT, { name })?.status?.release?.version);

describe('Of two operations over the same nodes', () => {
  test('the younger one follows the older one on every node', async () => {
    const cluster = await started();
    cluster.apply(NODE_OP, nodeOp('a', { concurrency: 1 }));
    await untilCommandRuns(cluster, 'n1');
    cluster.apply(NODE_OP, nodeOp('b'));
    await cluster.runFor(5);
    expect(entryOf(cluster, 'b', 'n3')).toMatchObject({
      reason: 'WaitingForOperation',
      message: 'waiting for operation default/a, which was created earlier',
    });
    expect(await cluster.runUntilSettled()).toBe(true);
    for (const node of ['n1', 'n2', 'n3']) expect(ranOn(cluster, node)).toEqual(['a', 'b']);
  });

  test('the younger one starts on a node as soon as the older one has finished there', async () => {
    const cluster = await started();
    cluster.apply(NODE_OP, nodeOp('a', { concurrency: 1 }));
    await untilCommandRuns(cluster, 'n1');
    cluster.apply(NODE_OP, nodeOp('b'));
    await untilCommandRuns(cluster, 'n2');
    await cluster.runFor(10);
    expect(ranOn(cluster, 'n1')).toEqual(['a', 'b']);
  });

  test.each([
    ['is deleted', (cluster: FakeCluster) => cluster.delete(NODE_OP, { name: 'a', namespace: 'default' })],
    [
      'is stopped by a failure',
      (cluster: FakeCluster) => {
        cluster.api.patch(NODE_OP, { name: 'a', namespace: 'default' }, { spec: { stopOnFailure: true } });
        cluster.machine('n1').powerOff();
      },
    ],
  ])('the younger one no longer waits when the older one %s', async (_title, end) => {
    const cluster = await started();
    cluster.apply(NODE_OP, nodeOp('a', { concurrency: 1, startDeadlineSeconds: 30, rebootTimeoutSeconds: 60 }));
    await untilCommandRuns(cluster, 'n1');
    cluster.apply(NODE_OP, nodeOp('b'));
    end(cluster);
    await runUntil(cluster, () => ranOn(cluster, 'n3').includes('b'), 1200);
    expect(ranOn(cluster, 'n3')).toEqual(['b']);
  });

  test('a paused one that has not begun is passed by', async () => {
    const cluster = await started();
    cluster.apply(NODE_OP, nodeOp('a', { paused: true }));
    await cluster.runFor(5);
    cluster.apply(NODE_OP, nodeOp('b'));
    await untilCommandRuns(cluster, 'n3');
    expect(ranOn(cluster, 'n3')).toEqual(['b']);
  });

  test('one that was paused in the middle is waited for, and the status says that it is paused', async () => {
    const cluster = await started();
    cluster.apply(NODE_OP, nodeOp('a', { concurrency: 1 }));
    await untilCommandRuns(cluster, 'n1');
    cluster.api.patch(NODE_OP, { name: 'a', namespace: 'default' }, { spec: { paused: true } });
    cluster.apply(NODE_OP, nodeOp('b'));
    await cluster.runFor(300);
    expect([ranOn(cluster, 'n1'), ranOn(cluster, 'n2')]).toEqual([['a', 'b'], []]);
    expect(entryOf(cluster, 'b', 'n2')?.message).toContain('default/a, which was created earlier and is paused');
    cluster.api.patch(NODE_OP, { name: 'a', namespace: 'default' }, { spec: { paused: false } });
    expect(await cluster.runUntilSettled()).toBe(true);
    expect(ranOn(cluster, 'n2')).toEqual(['a', 'b']);
  });
});

describe('Of two upgrades of the same nodes', () => {
  const upgrading = async () => {
    const nodes = [
      ...['cp1', 'cp2'].map(name => ({ name, controlPlane: true, files: OLD })),
      ...['w1', 'w2', 'w3'].map(name => ({ name, files: OLD })),
    ];
    const cluster = fakeCluster({ nodes, images: IMAGES });
    await cluster.start();
    return cluster;
  };

  test('a younger one that is applied in the middle of the older one ends on every node after it', async () => {
    const cluster = await upgrading();
    cluster.apply(NODE_OP_UPGRADE, upgradeTo(6));
    await untilCommandRuns(cluster, 'cp2');
    cluster.apply(NODE_OP_UPGRADE, upgradeTo(7));
    expect(await cluster.runUntilSettled({ within: 20_000 })).toBe(true);
    expect([6, 7].map(to => cluster.nodeOp(`to-${to}`)?.status?.phase)).toEqual(['Completed', 'Completed']);
    expect(versionsOf(cluster)).toEqual(Array(5).fill('v7.0.0'));
  });

  test('the age of the upgrade counts, although its NodeOp is created after its image was read', async () => {
    const cluster = await upgrading();
    cluster.apply(NODE_OP_UPGRADE, upgradeTo(6));
    cluster.apply(NODE_OP, nodeOp('command'));
    await runUntil(cluster, () => entryOf(cluster, 'command', 'w1')?.reason === 'WaitingForOperation');
    expect(await cluster.runUntilSettled({ within: 20_000 })).toBe(true);
    expect(ranOn(cluster, 'w1')).toEqual(['to', 'command']);
  });

  test('an older version is refused after a newer one, unless it is allowed', async () => {
    const cluster = await upgrading();
    cluster.apply(NODE_OP_UPGRADE, upgradeTo(7));
    await cluster.runUntilSettled({ within: 20_000 });
    cluster.apply(NODE_OP_UPGRADE, upgradeTo(6));
    await cluster.runUntilSettled({ within: 20_000 });
    expect(entryOf(cluster, 'to-6', 'cp1')).toMatchObject({ phase: 'Failed', reason: 'PreflightFailed' });
    expect(entryOf(cluster, 'to-6', 'cp1')?.message).toContain('add Downgrade to spec.allow');
    expect(versionsOf(cluster)).toEqual(Array(5).fill('v7.0.0'));
    cluster.delete(NODE_OP_UPGRADE, { name: 'to-6', namespace: 'default' });
    await cluster.runFor(60);
    cluster.apply(NODE_OP_UPGRADE, { ...upgradeTo(6, { allow: ['Downgrade'] }) });
    await cluster.runUntilSettled({ within: 20_000 });
    expect(versionsOf(cluster)).toEqual(Array(5).fill('v6.0.0'));
  });
});
