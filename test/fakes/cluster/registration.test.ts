/** How the fake kubelet registers its Node, and what the fake cluster does when a Node is deleted. */
import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT } from '../../../api/kinds.js';
import type { NodeAgent } from '../../../api/objects.js';
import { NODES, PODS } from '../../../kube/resources.js';
import { type FakeCluster, fakeCluster } from './cluster.js';
import type { NodeOptions } from './object-builders.js';
import { isNodeReady, type NodeObject, type PodObject } from './object-types.js';

const AT = { name: 'n1' };

async function startedCluster(traits: Partial<NodeOptions> = {}): Promise<FakeCluster> {
  const cluster = fakeCluster({ nodes: [{ name: 'n1', labels: { pool: 'a' }, ...traits }], daemonSets: ['proxy'] });
  await cluster.start();
  return cluster;
}

const nodeOf = ({ api }: FakeCluster) => api.find<NodeObject>(NODES, AT);
const podsOn = ({ api }: FakeCluster) => api.all<PodObject>(PODS).filter(({ spec }) => spec.nodeName === 'n1');

async function reboot(cluster: FakeCluster): Promise<void> {
  cluster.machine('n1').reboot();
  await cluster.runFor(60);
}

describe('a Node that is deleted', () => {
  test('stays away while its kubelet runs', async () => {
    const cluster = await startedCluster();
    cluster.delete(NODES, AT);
    await cluster.runFor(600);
    expect(nodeOf(cluster)).toBeUndefined();
  });

  test.each<[string, (cluster: FakeCluster) => Promise<void> | void]>([
    ['the machine boots', reboot],
    ['the kubelet restarts', cluster => cluster.kubelet('n1').restart()],
  ])('is registered with another uid, its own labels and no cordon when %s', async (_words, again) => {
    const cluster = await startedCluster();
    const { uid } = cluster.api.patch(NODES, AT, { spec: { unschedulable: true } }).metadata;
    cluster.delete(NODES, AT);
    await again(cluster);
    await cluster.runFor(10);
    const node = nodeOf(cluster);
    expect(node && isNodeReady(node)).toBe(true);
    expect(node?.metadata.uid).not.toBe(uid);
    expect(node?.metadata.labels).toMatchObject({ pool: 'a' });
    expect(node?.spec).toEqual({});
  });

  test('takes its Pods and the agent with it after 40 s', async () => {
    const cluster = await startedCluster();
    cluster.delete(NODES, AT);
    await cluster.runFor(39);
    expect([podsOn(cluster).length, cluster.agents.get('n1')?.running]).toEqual([1, true]);
    await cluster.runFor(2);
    expect([podsOn(cluster).length, cluster.agents.get('n1')?.running]).toEqual([0, false]);
    expect(cluster.isRunning('n1', 'main')).toBe(false);
    await reboot(cluster);
    expect([podsOn(cluster).length, cluster.agents.get('n1')?.running]).toEqual([1, true]);
  });

  test.each([
    ['is collected', [], false],
    ['stays with a finalizer', ['example.com/held'], true],
  ])('has a NodeAgent that %s', async (_words, finalizers, stays) => {
    const cluster = await startedCluster();
    cluster.api.patch(NODE_AGENT, AT, { metadata: { finalizers } });
    cluster.delete(NODES, AT);
    await cluster.runFor(5);
    const agent = cluster.api.find<NodeAgent>(NODE_AGENT, AT);
    expect(agent?.metadata.deletionTimestamp !== undefined).toBe(stays);
  });
});

describe('a machine', () => {
  test.each<[string, Partial<NodeOptions>, (cluster: FakeCluster) => void, [boolean, boolean]]>([
    ['keeps its system UUID and its machine ID', {}, () => undefined, [true, true]],
    ['may have another machine ID in each boot', { keepsMachineId: false }, () => undefined, [true, false]],
    [
      'without firmware has its machine ID for a UUID',
      { keepsMachineId: false, systemUUID: null },
      () => undefined,
      [false, false],
    ],
    ['that is exchanged has other ones', {}, cluster => cluster.machine('n1').exchange(), [false, false]],
  ])('%s', async (_words, traits, meanwhile, kept) => {
    const cluster = await startedCluster(traits);
    const before = nodeOf(cluster)?.status.nodeInfo;
    cluster.machine('n1').powerOff();
    meanwhile(cluster);
    cluster.machine('n1').powerOn();
    await cluster.runFor(60);
    const after = nodeOf(cluster)?.status.nodeInfo;
    expect([after?.systemUUID === before?.systemUUID, after?.machineID === before?.machineID]).toEqual(kept);
    expect(after?.bootID).not.toBe(before?.bootID);
  });

  test('that is exchanged has an empty disk', async () => {
    const cluster = await startedCluster();
    const machine = cluster.machine('n1');
    machine.host.files.set('/usr/local/.kairos/journal.json', '{}');
    machine.powerOff();
    machine.exchange();
    expect([...machine.host.files.keys()]).toEqual(['/etc/kairos-release']);
  });
});
