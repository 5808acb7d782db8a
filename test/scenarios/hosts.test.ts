/** Operations on hosts that are not installed Kairos systems, or whose files and clocks misbehave. */
import { describe, expect, test } from '@jest/globals';
import { type FakeCluster, fakeCluster } from '../fakes/cluster/cluster.js';
import { createNodeOp, createUpgrade, IMAGES } from './reasons-setup.js';

const PLAIN_HOST = { '/etc/os-release': 'ID=ubuntu\nVERSION_ID="24.04"\n' };
const PLAIN_CMDLINE = 'BOOT_IMAGE=/boot/vmlinuz root=UUID=0c1f ro quiet';
const LIVE_CMDLINE = 'cdroot root=live:CDLABEL=COS_LIVE rd.live.dir=/ rd.live.squashimg=rootfs.squashfs';

/** Two nodes, the first of which is not an installed Kairos system. */
async function mixedCluster(what: 'plain' | 'live'): Promise<FakeCluster> {
  const cluster = fakeCluster({
    nodes: [{ name: 'n1', ...(what === 'plain' ? { files: PLAIN_HOST } : {}) }, { name: 'n2' }],
    images: IMAGES,
  });
  cluster.machine('n1').host.set({ cmdline: what === 'plain' ? PLAIN_CMDLINE : LIVE_CMDLINE });
  await cluster.start();
  return cluster;
}

const nodeStatus = (cluster: FakeCluster, name: string) => cluster.upgrade('up')?.status?.nodeStatuses?.[name];
const wasCordoned = (cluster: FakeCluster, name: string) =>
  cluster.disruptions.some(each => each.node === name && each.cordonedBy !== undefined);

describe('an upgrade without a selector', () => {
  test.each([
    ['plain', 'the node is not a Kairos node'],
    ['live', 'the node runs from a live medium'],
  ] as const)('refuses a %s host before it is touched, and upgrades the other node', async (what, why) => {
    const cluster = await mixedCluster(what);
    createUpgrade(cluster, { concurrency: 1 });
    expect(await cluster.runUntilSettled()).toBe(true);
    expect(nodeStatus(cluster, 'n1')).toMatchObject({
      phase: 'Failed',
      reason: 'PreflightFailed',
      message: expect.stringContaining(why),
    });
    expect(wasCordoned(cluster, 'n1')).toBe(false);
    expect(nodeStatus(cluster, 'n2')?.phase).toBe('Completed');
  });

  test.each([
    ['force', { force: true }],
    ['allow NotKairos', { allow: ['NotKairos'] }],
  ])('goes on to a plain host with %s', async (_sentence, spec) => {
    const cluster = await mixedCluster('plain');
    createUpgrade(cluster, spec);
    await cluster.runUntilSettled();
    expect(nodeStatus(cluster, 'n1')?.stepTimes).toHaveProperty('Run');
  });
});

test('a release file that cannot be read for a while after the reboot does not make an upgrade fall back', async () => {
  const cluster = fakeCluster({ nodes: [{ name: 'n1' }], images: IMAGES });
  await cluster.start();
  const { host } = cluster.machine('n1');
  const before = await host.bootId();
  createUpgrade(cluster);
  await cluster.runUntil(() => cluster.machine('n1').bootId === before && !cluster.machine('n1').up);
  host.set({ unreadable: ['/etc/kairos-release'] });
  await cluster.runFor(120);
  host.set({ unreadable: [] });
  expect(await cluster.runUntilSettled()).toBe(true);
  expect(nodeStatus(cluster, 'n1')).toMatchObject({ phase: 'Completed' });
});

test.each([31, -31, 600, -600])('a node whose clock is %i min ahead is rebooted once all the same', async minutes => {
  const cluster = fakeCluster({ nodes: [{ name: 'n1' }], images: IMAGES });
  await cluster.start();
  cluster.machine('n1').clockAheadMs = minutes * 60_000;
  createNodeOp(cluster, { rebootOnSuccess: true });
  expect(await cluster.runUntilSettled()).toBe(true);
  expect(cluster.nodeOp('op')?.status?.nodeStatuses?.n1).toMatchObject({ phase: 'Completed' });
  expect(cluster.machine('n1').shutdowns).toEqual(['agent']);
});

test('a node whose state directory cannot be written fails before its command runs', async () => {
  const cluster = fakeCluster({ nodes: [{ name: 'n1' }] });
  await cluster.start();
  cluster.machine('n1').host.set({ diskFault: 'ENOSPC: no space left on device' });
  createNodeOp(cluster, { rebootOnSuccess: true, cordon: true });
  expect(await cluster.runUntilSettled()).toBe(true);
  expect(cluster.nodeOp('op')?.status?.nodeStatuses?.n1).toMatchObject({ reason: 'StateDirNotWritable' });
  expect(cluster.containerRuns).toEqual([]);
  expect(wasCordoned(cluster, 'n1')).toBe(false);
});
