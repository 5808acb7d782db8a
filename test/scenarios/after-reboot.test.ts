/** What counts as well after a reboot: static Pods of control planes, and DaemonSets that still want the node. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { NODES, PODS } from '../../kube/resources.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import type { Machine } from '../fakes/cluster/machine.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { isPodReady, type PodObject } from '../fakes/cluster/object-types.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { ledgerOf, nodeMessage, REBOOT, runUntil, setLabels, untilFinished } from './lifecycle-setup.js';
import { watchControlPlanes } from './control-planes-invariants.js';

const NAMES = ['cp1', 'cp2', 'cp3'];
const STATIC_PODS = [{ name: 'etcd' }, { name: 'kube-apiserver' }];
const CONTROL_PLANES = NAMES.map(name => ({ name, controlPlane: true, staticPods: STATIC_PODS }));
const IMAGES = { 'registry.example/kairos:2': { release: KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.6.0') } };
const UPGRADE = { image: 'registry.example/kairos:2', verifyTimeoutSeconds: 200, startDeadlineSeconds: 100 };

const etcdAfterBoot = (machine: Machine, readySeconds: number) => {
  machine.changesAtBoot = { staticPods: [{ name: 'etcd', readySeconds }, { name: 'kube-apiserver' }] };
};

async function controlPlanes(): Promise<{ cluster: FakeCluster; violations: readonly string[] }> {
  const cluster = fakeCluster({ nodes: [...CONTROL_PLANES, { name: 'w1' }], images: IMAGES });
  await cluster.start();
  return { cluster, violations: watchControlPlanes(cluster, NAMES) };
}

const isEtcdReady = ({ api }: FakeCluster, node: string): boolean => {
  const pod = api.find<PodObject>(PODS, { name: `etcd-${node}`, namespace: 'kube-system' });
  return pod !== undefined && isPodReady(pod);
};

const result = (cluster: FakeCluster, node: string, name = 'op'): string => {
  const { phase, reason } = cluster.nodeOp(name)?.status?.nodeStatuses?.[node] ?? {};
  return `${phase} ${reason}`;
};

const shutdownsOf = ({ machines }: FakeCluster) => [...machines.values()].map(({ shutdowns }) => shutdowns.length);

describe('while etcd of a control plane', () => {
  test('is Ready only a while after its reboot, no other control plane is disrupted, and then all are upgraded', async () => {
    const { cluster, violations } = await controlPlanes();
    for (const machine of cluster.machines.values()) if (machine.name !== 'w1') etcdAfterBoot(machine, 120);
    cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('op', UPGRADE));
    await runUntil(cluster, () => cluster.machine('cp1').shutdowns.length === 1 && cluster.machine('cp1').up);
    await runUntil(cluster, () => nodeMessage(cluster, 'cp1').includes('etcd'));
    expect([result(cluster, 'cp1'), nodeMessage(cluster, 'cp1')]).toEqual([
      'Running Settling',
      expect.stringContaining('waiting for static pod'),
    ]);
    await runUntil(cluster, () => ledgerOf(cluster, 'cp2')?.stepTimes.Cordon !== undefined);
    expect(isEtcdReady(cluster, 'cp1')).toBe(true);
    expect(await cluster.runUntilSettled()).toBe(true);
    expect([cluster.upgrade('op')?.status?.phase, violations]).toEqual(['Completed', []]);
  });

  test('is never Ready again, its node fails, and neither this operation nor another disrupts a second control plane', async () => {
    const { cluster, violations } = await controlPlanes();
    etcdAfterBoot(cluster.machine('cp1'), Number.POSITIVE_INFINITY);
    cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('op', { ...UPGRADE, stopOnFailure: false }));
    await untilFinished(cluster);
    expect([result(cluster, 'cp1'), result(cluster, 'cp2')]).toEqual([
      'Failed NotSettled',
      'Failed ControlPlaneNotReady',
    ]);
    expect(nodeMessage(cluster, 'cp2')).toContain('etcd-cp1');
    const nodeSelector = { matchLabels: { 'kubernetes.io/hostname': 'cp3' } };
    cluster.apply(NODE_OP, nodeOp('later', { ...REBOOT, nodeSelector, startDeadlineSeconds: 100 }));
    await untilFinished(cluster, 'later');
    expect(result(cluster, 'cp3', 'later')).toBe('Failed ControlPlaneNotReady');
    expect(await cluster.runUntilSettled()).toBe(true);
    expect([shutdownsOf(cluster).slice(0, 3), violations]).toEqual([[1, 0, 0], []]);
  });

  test('is removed by the upgrade, the others go on, and its message names it', async () => {
    const { cluster, violations } = await controlPlanes();
    for (const name of NAMES)
      cluster.machine(name).changesAtBoot = { staticPods: [{ name: 'etcd-renamed' }, { name: 'kube-apiserver' }] };
    cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('op', UPGRADE));
    await untilFinished(cluster);
    expect([result(cluster, 'cp1'), nodeMessage(cluster, 'cp1')]).toEqual([
      'Completed Done',
      'Job and reboot completed successfully (static pod kube-system/etcd-cp1 is not on the node any more after its reboot)',
    ]);
    expect(await cluster.runUntilSettled()).toBe(true);
    expect([cluster.upgrade('op')?.status?.phase, violations]).toEqual(['Completed', []]);
  });

  test('is not Ready before the operation, no other control plane is cordoned until it is', async () => {
    const { cluster, violations } = await controlPlanes();
    etcdAfterBoot(cluster.machine('cp3'), 150);
    cluster.machine('cp3').reboot();
    await cluster.runFor(60);
    const nodeSelector = { matchLabels: { 'kubernetes.io/hostname': 'cp1' } };
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, nodeSelector }));
    await cluster.runFor(60);
    expect([result(cluster, 'cp1'), nodeMessage(cluster, 'cp1')]).toEqual([
      expect.stringContaining('ControlPlaneNotReady'),
      expect.stringContaining('etcd-cp3'),
    ]);
    expect(cluster.disruptions.some(({ node, cordonedBy }) => node === 'cp1' && cordonedBy !== undefined)).toBe(false);
    await runUntil(cluster, () => ledgerOf(cluster, 'cp1')?.stepTimes.Cordon !== undefined);
    expect(isEtcdReady(cluster, 'cp3')).toBe(true);
    await untilFinished(cluster);
    expect([result(cluster, 'cp1'), violations]).toEqual(['Completed Done', []]);
  });
});

describe('a DaemonSet whose Pod ran on the node before its reboot', () => {
  const driver = { name: 'driver', nodeSelector: { driver: 'old' } };
  const nodes = [{ name: 'n1', labels: { driver: 'old' } }];
  const rebooting = async () => {
    const cluster = fakeCluster({ nodes, daemonSets: [driver, 'proxy'] });
    await cluster.start();
    await cluster.runFor(20);
    cluster.apply(NODE_OP, nodeOp('op', { ...REBOOT, verifyTimeoutSeconds: 200 }));
    return cluster;
  };
  const driverPods = ({ api }: FakeCluster) =>
    api.all<PodObject>(PODS).filter(({ metadata }) => metadata.name.startsWith('driver'));

  test('is not waited for when the labels of the node changed with the boot', async () => {
    const cluster = await rebooting();
    cluster.machine('n1').changesAtBoot = { labels: { driver: 'new' } };
    await untilFinished(cluster);
    expect([result(cluster, 'n1'), driverPods(cluster)]).toEqual(['Completed Done', []]);
  });

  test('is not waited for when a new taint of the booted system keeps its Pod away', async () => {
    const cluster = await rebooting();
    cluster.machine('n1').changesAtBoot = { taints: [{ key: 'driver', value: 'missing', effect: 'NoExecute' }] };
    await untilFinished(cluster);
    expect([result(cluster, 'n1'), driverPods(cluster)]).toEqual(['Completed Done', []]);
  });

  test('is waited for again when the label comes back', async () => {
    const cluster = await rebooting();
    cluster.machine('n1').changesAtBoot = { labels: { driver: 'new' } };
    await runUntil(cluster, () => cluster.api.get(NODES, { name: 'n1' }).metadata.labels?.driver === 'new');
    setLabels(cluster, 'n1', { driver: 'old' });
    await untilFinished(cluster);
    expect([result(cluster, 'n1'), driverPods(cluster).map(isPodReady)]).toEqual(['Completed Done', [true]]);
  });
});
