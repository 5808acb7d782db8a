/** The API server refuses to create an object: the status says why, and the upgrade does not wait indefinitely. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { NODE_OP_UPGRADE } from '../../../api/kinds.js';
import { reconcileUpgrade } from '../../../controller/upgrade/controller.js';
import { ended, node, RELEASE } from './samples.js';
import { AT, UpgradeCluster } from './upgrade-cluster.js';

const no = (code: number, message: string) => ({ code, body: { reason: 'Forbidden', message } });
const QUOTA = no(403, 'exceeded quota: pods');
const INVALID = no(422, 'NodeOp "to-v2" is invalid: spec.image');

let cluster = new UpgradeCluster();
beforeEach(async () => {
  cluster = new UpgradeCluster();
  await cluster.addNodes(node('n1'));
});

const status = () => cluster.upgrade()?.status;
const condition = (type: string) => status()?.conditions?.find(each => each.type === type);
/** Advances the clock to each requested requeue and reconciles, for that many seconds. */
const reconcileFor = async (seconds: number) => {
  const end = cluster.clock.now().getTime() + seconds * 1000;
  while (cluster.clock.now().getTime() < end) {
    const outcome = await reconcileUpgrade(AT, cluster.deps);
    await cluster.clock.advance(outcome.then === 'requeue' ? Math.max(outcome.afterMs, 100) : 1000);
  }
  await cluster.settle();
};

describe('a probe Pod that the namespace refuses', () => {
  beforeEach(() => void cluster.kube.refusals.set('create pods', QUOTA));

  test('is reported with the message of the API server while its creation is retried', async () => {
    await cluster.createUpgrade();
    expect(status()).toMatchObject({ phase: 'Initializing', message: expect.stringContaining('exceeded quota: pods') });
    expect(condition('Reconciling')).toMatchObject({ status: 'True', reason: 'PodRefused' });
    expect(cluster.reasons()).toEqual(['Probing', 'PodRefused']);
  });

  test('is not created again within ten seconds', async () => {
    await cluster.createUpgrade();
    const before = cluster.kube.requested('create pods');
    for (let round = 0; round < 5; round += 1) await reconcileUpgrade(AT, cluster.deps);
    expect(await reconcileUpgrade(AT, cluster.deps)).toEqual({ then: 'requeue', afterMs: 10_000 });
    expect(cluster.kube.requested('create pods')).toBe(before);
    await reconcileFor(60);
    expect(cluster.kube.requested('create pods') - before).toBeLessThanOrEqual(7);
    expect(cluster.kube.requested('create pods') - before).toBeGreaterThanOrEqual(5);
  });

  test('is created once the quota allows it', async () => {
    await cluster.createUpgrade();
    cluster.kube.refusals.clear();
    await reconcileFor(11);
    expect(cluster.probes()).toHaveLength(1);
    expect(status()?.message).not.toContain('quota');
  });

  test('is created at once after a change of the spec', async () => {
    await cluster.createUpgrade();
    cluster.kube.refusals.clear();
    await cluster.kube.patch(NODE_OP_UPGRADE, AT, { spec: { image: 'another:v3' } });
    await cluster.settle();
    expect(cluster.probes()).toHaveLength(1);
  });

  test('fails the upgrade after startDeadlineSeconds', async () => {
    await cluster.createUpgrade({ startDeadlineSeconds: 60 });
    await reconcileFor(50);
    expect(status()?.phase).toBe('Initializing');
    await reconcileFor(20);
    expect(status()).toMatchObject({ phase: 'Failed', message: expect.stringContaining('exceeded quota: pods') });
    expect(condition('Failed')).toMatchObject({ status: 'True', reason: 'ProbeFailed' });
    expect(cluster.reasons().at(-1)).toBe('ProbeFailed');
  });

  test('causes no write while the refusal stays the same', async () => {
    await cluster.createUpgrade();
    const { version } = cluster.kube.store;
    await reconcileFor(40);
    expect(cluster.kube.store.version).toBe(version);
  });

  test('does not prevent the deletion of other probe Pods', async () => {
    await cluster.createUpgrade();
    cluster.kube.refusals.clear();
    await reconcileFor(11);
    cluster.kube.refusals.set('create pods', QUOTA);
    await cluster.kube.patch(NODE_OP_UPGRADE, AT, { spec: { image: 'another:v3' } });
    await cluster.settle();
    expect(cluster.probes()).toEqual([]);
    expect(status()?.message).toContain('exceeded quota: pods');
  });
});

describe('a NodeOp that the API server refuses', () => {
  beforeEach(async () => {
    cluster.kube.refusals.set('create nodeops', INVALID);
    await cluster.createUpgrade({ startDeadlineSeconds: 60 });
    await cluster.clock.advance(3_000_000);
    await cluster.setProbeState(ended(RELEASE));
  });

  test('is reported with the message of the API server, and the target stays in the status', () => {
    expect(status()).toMatchObject({
      phase: 'Initializing',
      message: expect.stringContaining('spec.image'),
      target: { releases: { amd64: { version: 'v2' } } },
    });
    expect(condition('Reconciling')).toMatchObject({ reason: 'InvalidSpec' });
  });

  test('is created once the API server allows it', async () => {
    cluster.kube.refusals.clear();
    await reconcileFor(11);
    expect(status()).toMatchObject({ message: 'NodeOp created', nodeOpName: 'to-v2' });
  });

  test('fails the upgrade startDeadlineSeconds after the first refusal', async () => {
    await reconcileFor(50);
    expect(status()?.phase).toBe('Initializing');
    await reconcileFor(20);
    expect(status()).toMatchObject({ phase: 'Failed', message: expect.stringContaining('spec.image') });
    expect(condition('Failed')).toMatchObject({ status: 'True', reason: 'InvalidSpec' });
    expect(cluster.nodeOp()).toBeUndefined();
  });
});
