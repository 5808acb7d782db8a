/** The Node of a control plane is deleted while an operation reboots it: it still counts as down, and as a control plane. */
import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { CONTROL_PLANE_LABELS } from '../../api/names.js';
import { NODES } from '../../kube/resources.js';
import { type FakeCluster, fakeCluster } from '../fakes/cluster/cluster.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { watchControlPlanes } from './control-planes-invariants.js';
import { runUntil } from './lifecycle-setup.js';
import { outcomeOf } from './outcome.js';
import { IMAGES, NEW_IMAGE } from './reasons-setup.js';

const DONE = 'Completed Done completed';
const CONTROL_PLANES = ['cp1', 'cp2', 'cp3'];
const AT = { name: 'cp1' };

/** An upgrade of three control planes and a worker, of which the first one is down without a Node. */
async function lostControlPlane(spec: object = {}): Promise<{ cluster: FakeCluster; violations: readonly string[] }> {
  const cluster = fakeCluster({
    nodes: [...CONTROL_PLANES.map(name => ({ name, controlPlane: true })), { name: 'w1' }],
    images: IMAGES,
  });
  await cluster.start();
  const violations = watchControlPlanes(cluster, CONTROL_PLANES);
  cluster.apply(NODE_OP_UPGRADE, nodeOpUpgrade('up', { image: NEW_IMAGE, rebootTimeoutSeconds: 600, ...spec }));
  const machine = cluster.machine('cp1');
  await runUntil(cluster, () => !machine.up);
  machine.powerOff();
  cluster.delete(NODES, AT);
  await cluster.runFor(60);
  return { cluster, violations };
}

const entries = (cluster: FakeCluster, name = 'up') => cluster.nodeOp(name)?.status?.nodeStatuses ?? {};

/** The label of kubeadm is not among those that a kubelet registers. */
function registerWithoutLabel(cluster: FakeCluster): void {
  cluster.machine('cp1').changesAtBoot = { labels: { [CONTROL_PLANE_LABELS[0]]: null } };
  cluster.machine('cp1').powerOn();
}

describe('a control plane without a Node', () => {
  test.each([
    ['its NodeAgent', () => undefined],
    ['no NodeAgent', ({ api }: FakeCluster) => api.forceRemove(NODE_AGENT, AT)],
  ])('holds back the other nodes of its upgrade, with %s', async (_sentence, lose) => {
    const { cluster, violations } = await lostControlPlane({ concurrency: 3 });
    lose(cluster);
    await cluster.runFor(60);
    expect(entries(cluster)).toMatchObject({
      cp1: { phase: 'Running', reason: 'Rebooting' },
      cp2: { phase: 'Pending', reason: 'WaitingForTurn' },
      cp3: { phase: 'Pending', reason: 'WaitingForTurn' },
      w1: { phase: 'Pending', reason: 'WaitingForControlPlanes' },
    });
    registerWithoutLabel(cluster);
    const settled = await cluster.runUntilSettled();
    expect(outcomeOf(cluster, settled)).toMatchObject({
      settled: true,
      operations: { up: { phase: 'Completed', nodes: { cp1: DONE, cp2: DONE, cp3: DONE, w1: DONE } } },
      nodes: { cp1: { cordoned: false, shutdowns: 'agent' } },
    });
    expect(violations).toEqual([]);
  });

  test('holds back the control planes of another operation', async () => {
    const { cluster, violations } = await lostControlPlane();
    const onlyCp2 = { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'cp2' } } };
    cluster.delete(NODE_OP_UPGRADE, { name: 'up', namespace: 'default' });
    cluster.apply(NODE_OP, nodeOp('other', { cordon: true, rebootOnSuccess: true, ...onlyCp2 }));
    await cluster.runFor(60);
    expect(entries(cluster, 'other').cp2).toMatchObject({ phase: 'Pending', reason: 'WaitingForOperation' });
    registerWithoutLabel(cluster);
    await cluster.runUntilSettled();
    expect(entries(cluster, 'other').cp2).toMatchObject({ phase: 'Completed' });
    expect(violations).toEqual([]);
  });

  test('settles as a control plane after it has registered without its label', async () => {
    const { cluster } = await lostControlPlane();
    registerWithoutLabel(cluster);
    await cluster.runUntilSettled();
    const { stepTimes, completedAt } = entries(cluster).cp1 ?? {};
    expect(Date.parse(completedAt ?? '') - Date.parse(stepTimes?.Verify ?? '')).toBeGreaterThanOrEqual(30_000);
  });

  test('that never comes back lets no other control plane go down, and stops the workers of its upgrade', async () => {
    const { cluster, violations } = await lostControlPlane();
    await cluster.runUntilSettled();
    expect(entries(cluster)).toMatchObject({
      cp1: { phase: 'Failed', reason: 'NodeRemoved' },
      cp2: { phase: 'Failed', reason: 'ControlPlaneNotReady' },
      cp3: { phase: 'Failed', reason: 'ControlPlaneNotReady' },
      w1: { phase: 'Pending', reason: 'Stopped', message: 'not started: a control plane failed' },
    });
    expect(['cp2', 'cp3', 'w1'].flatMap(name => cluster.machine(name).shutdowns)).toEqual([]);
    expect(violations).toEqual([]);
  });
});
