/** One upgrade from beginning to end in an in-memory cluster. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { NODE_OP, NODE_OP_UPGRADE } from '../../../api/kinds.js';
import type { NodeOp } from '../../../api/objects.js';
import { reconcileUpgrade } from '../../../controller/upgrade/controller.js';
import { ObjectCache } from '../../../kube/cache.js';
import { DIGEST, ended, IMAGE, node, RELEASE, TRIPLE, waiting } from './samples.js';
import { AT, UpgradeCluster } from './upgrade-cluster.js';

describe('an upgrade', () => {
  let cluster = new UpgradeCluster();
  beforeEach(async () => {
    cluster = new UpgradeCluster();
    await cluster.addNodes(node('n1'), node('n2'));
  });

  test('reads the image on one node, creates one NodeOp and finishes with it', async () => {
    await cluster.createUpgrade({ concurrency: 1 });
    expect(cluster.probes().map(pod => pod.spec.nodeName)).toEqual(['n1']);
    expect(cluster.upgrade()?.status).toMatchObject({ phase: 'Initializing', message: expect.stringContaining(IMAGE) });
    expect(cluster.nodeOp()).toBeUndefined();

    await cluster.setProbeState(ended(RELEASE));
    expect(cluster.probes()).toEqual([]);
    expect(cluster.upgrade()?.status).toMatchObject({
      phase: 'Initializing',
      message: 'NodeOp created',
      nodeOpName: 'to-v2',
      target: { version: TRIPLE, digest: DIGEST },
    });
    expect(cluster.nodeOp()?.spec).toMatchObject({ image: `quay.io/kairos/debian@${DIGEST}`, concurrency: 1 });

    await cluster.setNodeOpStatus({ phase: 'Running', progress: '1/2', nodeStatuses: { n1: { phase: 'Running' } } });
    expect(cluster.upgrade()?.status).toMatchObject({
      phase: 'Running',
      message: 'Upgrade operation is running',
      progress: '1/2',
    });

    await cluster.kube.patch(NODE_OP_UPGRADE, AT, { spec: { paused: true } });
    await cluster.settle();
    expect(cluster.nodeOp()?.spec.paused).toBe(true);

    await cluster.setNodeOpStatus({ phase: 'Completed', progress: '2/2' });
    await cluster.kube.delete(NODE_OP, AT);
    await cluster.settle();
    expect(cluster.upgrade()?.status).toMatchObject({
      phase: 'Completed',
      message: 'Upgrade operation completed successfully',
    });
    expect(cluster.reasons()).toEqual(['Probing', 'Progressing', 'AllDone']);
  });

  test('creates no NodeOp if the image cannot be pulled, and reports the error of the kubelet', async () => {
    await cluster.createUpgrade();
    const error = 'quay.io/kairos/debian:v2: not found';
    await cluster.setProbeState(waiting('ErrImagePull', error));
    expect(cluster.upgrade()?.status).toMatchObject({ phase: 'Initializing', message: expect.stringContaining(error) });
    await cluster.clock.advance(31_000);
    await cluster.settle();
    /* The node has no copy of the image either. */
    await cluster.setProbeState(waiting('ErrImagePull', error));
    expect(cluster.upgrade()?.status).toMatchObject({
      phase: 'Failed',
      message: `image "${IMAGE}" could not be read on node n1: ${error}`,
    });
    expect([cluster.nodeOp(), cluster.probes()]).toEqual([undefined, []]);
    expect(cluster.reasons()).toEqual(['Probing', 'ProbeFailed']);
  });

  test('fails if its NodeOp is deleted, and creates no second one', async () => {
    await cluster.createUpgrade();
    await cluster.setProbeState(ended(RELEASE));
    await cluster.kube.delete(NODE_OP, AT);
    await cluster.settle();
    expect(cluster.upgrade()?.status?.conditions?.[1]).toMatchObject({ status: 'True', reason: 'NodeOpDeleted' });
    expect(cluster.nodeOp()).toBeUndefined();
  });

  test('reads the NodeOp from the API server before it reports it as deleted', async () => {
    await cluster.createUpgrade();
    await cluster.setProbeState(ended(RELEASE));
    const stale = { ...cluster.deps, nodeOps: new ObjectCache<NodeOp>() };
    await reconcileUpgrade(AT, stale);
    expect(cluster.upgrade()?.status).toMatchObject({ phase: 'Initializing', message: 'NodeOp created' });
    expect(stale.nodeOps.get(AT)).toEqual(cluster.nodeOp());
  });

  test('leaves a foreign NodeOp of its name alone', async () => {
    const foreign = await cluster.kube.create<NodeOp>(
      NODE_OP,
      { metadata: { name: AT.name }, spec: { command: ['true'] } },
      AT.namespace,
    );
    await cluster.createUpgrade();
    expect(cluster.upgrade()?.status?.conditions?.[1]).toMatchObject({ status: 'True', reason: 'NameTaken' });
    expect(cluster.nodeOp()).toEqual(foreign);
  });

  test('waits until the NodeOp of an earlier upgrade of its name is deleted', async () => {
    const owner = {
      apiVersion: 'operator.kairos.io/v1alpha1',
      kind: 'NodeOpUpgrade',
      name: AT.name,
      uid: 'earlier',
      controller: true,
    };
    await cluster.kube.create(
      NODE_OP,
      { metadata: { name: AT.name, ownerReferences: [owner] }, spec: { command: ['true'] } },
      AT.namespace,
    );
    await cluster.createUpgrade();
    expect(cluster.upgrade()?.status?.phase).toBe('Initializing');
    expect(cluster.probes()).toEqual([]);
    await cluster.kube.delete(NODE_OP, AT);
    await cluster.settle();
    expect(cluster.probes()).toHaveLength(1);
  });

  test('continues with the NodeOp that it created before it was interrupted', async () => {
    await cluster.createUpgrade();
    const before = cluster.upgrade();
    const owner = {
      apiVersion: 'operator.kairos.io/v1alpha1',
      kind: 'NodeOpUpgrade',
      name: AT.name,
      uid: before?.metadata.uid,
      controller: true,
    };
    await cluster.kube.create(
      NODE_OP,
      { metadata: { name: AT.name, ownerReferences: [owner] }, spec: { command: ['true'] } },
      AT.namespace,
    );
    await cluster.settle();
    expect(cluster.upgrade()?.status).toMatchObject({ nodeOpName: 'to-v2', message: 'NodeOp created' });
    expect(cluster.probes()).toEqual([]);
  });

  test('fails with the published message, and with the details in its conditions and Event', async () => {
    await cluster.createUpgrade();
    await cluster.setProbeState(ended(RELEASE));
    const n1 = { phase: 'Failed', message: 'the command failed' } as const;
    await cluster.setNodeOpStatus({ phase: 'Failed', nodeStatuses: { n1 } });
    expect(cluster.upgrade()?.status?.message).toBe('Upgrade operation failed');
    expect(cluster.events.at(-1)?.message).toBe('Upgrade operation failed: n1: the command failed');
  });

  test('fails with the reason if there is nothing to upgrade', async () => {
    await cluster.createUpgrade({ upgradeActive: false });
    expect(cluster.upgrade()?.status).toMatchObject({
      phase: 'Failed',
      message: expect.stringMatching(/^spec\.upgradeRecovery: .*nothing to do/),
    });
  });

  test('writes nothing if nothing has changed', async () => {
    await cluster.createUpgrade();
    await cluster.setProbeState(ended(RELEASE));
    await cluster.setNodeOpStatus({ phase: 'Running', progress: '1/2' });
    const version = cluster.kube.store.version;
    await reconcileUpgrade(AT, cluster.deps);
    expect(cluster.kube.store.version).toBe(version);
  });
});
