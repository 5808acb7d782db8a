/** One upgrade from beginning to end, against a cluster in memory. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { NODE_OP, NODE_OP_UPGRADE } from '../../../api/kinds.js';
import type { NodeOp } from '../../../api/objects.js';
import { reconcileUpgrade } from '../../../controller/upgrade/controller.js';
import { ObjectCache } from '../../../kube/cache.js';
import { DIGEST, ended, IMAGE, node, RELEASE, TRIPLE, waiting } from './samples.js';
import { AT, World } from './world.js';

describe('an upgrade', () => {
  let world = new World();
  beforeEach(async () => {
    world = new World();
    await world.joins(node('n1'), node('n2'));
  });

  test('reads the image on one node, lets one NodeOp do the work, and ends with it', async () => {
    await world.begin({ concurrency: 1 });
    expect(world.probes().map(pod => pod.spec.nodeName)).toEqual(['n1']);
    expect(world.upgrade()?.status).toMatchObject({ phase: 'Initializing', message: expect.stringContaining(IMAGE) });
    expect(world.nodeOp()).toBeUndefined();

    await world.kubeletSays(ended(RELEASE));
    expect(world.probes()).toEqual([]);
    expect(world.upgrade()?.status).toMatchObject({
      phase: 'Initializing',
      message: 'NodeOp created',
      nodeOpName: 'to-v2',
      target: { version: TRIPLE, digest: DIGEST },
    });
    expect(world.nodeOp()?.spec).toMatchObject({ image: `quay.io/kairos/debian@${DIGEST}`, concurrency: 1 });

    await world.nodeOpSays({ phase: 'Running', progress: '1/2', nodeStatuses: { n1: { phase: 'Running' } } });
    expect(world.upgrade()?.status).toMatchObject({
      phase: 'Running',
      message: 'Upgrade operation is running',
      progress: '1/2',
    });

    await world.kube.patch(NODE_OP_UPGRADE, AT, { spec: { paused: true } });
    await world.settle();
    expect(world.nodeOp()?.spec.paused).toBe(true);

    await world.nodeOpSays({ phase: 'Completed', progress: '2/2' });
    await world.kube.delete(NODE_OP, AT);
    await world.settle();
    expect(world.upgrade()?.status).toMatchObject({
      phase: 'Completed',
      message: 'Upgrade operation completed successfully',
    });
    expect(world.reasons()).toEqual(['Probing', 'Progressing', 'AllDone']);
  });

  test("disturbs no node when the image cannot be had, and says so in the kubelet's words", async () => {
    await world.begin();
    const words = 'quay.io/kairos/debian:v2: not found';
    await world.kubeletSays(waiting('ErrImagePull', words));
    expect(world.upgrade()?.status).toMatchObject({ phase: 'Initializing', message: expect.stringContaining(words) });
    await world.clock.advance(31_000);
    await world.settle();
    /* The node has no copy of it either. */
    await world.kubeletSays(waiting('ErrImagePull', words));
    expect(world.upgrade()?.status).toMatchObject({
      phase: 'Failed',
      message: `image "${IMAGE}" could not be read on node n1: ${words}`,
    });
    expect([world.nodeOp(), world.probes()]).toEqual([undefined, []]);
    expect(world.reasons()).toEqual(['Probing', 'ProbeFailed']);
  });

  test('fails when its NodeOp is deleted, and makes no second one', async () => {
    await world.begin();
    await world.kubeletSays(ended(RELEASE));
    await world.kube.delete(NODE_OP, AT);
    await world.settle();
    expect(world.upgrade()?.status?.conditions?.[1]).toMatchObject({ status: 'True', reason: 'NodeOpDeleted' });
    expect(world.nodeOp()).toBeUndefined();
  });

  test('asks the server before it calls a NodeOp deleted that its cache does not show', async () => {
    await world.begin();
    await world.kubeletSays(ended(RELEASE));
    const behind = { ...world.deps, nodeOps: new ObjectCache<NodeOp>() };
    await reconcileUpgrade(AT, behind);
    expect(world.upgrade()?.status).toMatchObject({ phase: 'Initializing', message: 'NodeOp created' });
    expect(behind.nodeOps.get(AT)).toEqual(world.nodeOp());
  });

  test('leaves a NodeOp alone that somebody else made', async () => {
    const foreign = await world.kube.create<NodeOp>(
      NODE_OP,
      { metadata: { name: AT.name }, spec: { command: ['true'] } },
      AT.namespace,
    );
    await world.begin();
    expect(world.upgrade()?.status?.conditions?.[1]).toMatchObject({ status: 'True', reason: 'NameTaken' });
    expect(world.nodeOp()).toEqual(foreign);
  });

  test('waits for the NodeOp of its predecessor to go', async () => {
    const owner = {
      apiVersion: 'operator.kairos.io/v1alpha1',
      kind: 'NodeOpUpgrade',
      name: AT.name,
      uid: 'earlier',
      controller: true,
    };
    await world.kube.create(
      NODE_OP,
      { metadata: { name: AT.name, ownerReferences: [owner] }, spec: { command: ['true'] } },
      AT.namespace,
    );
    await world.begin();
    expect(world.upgrade()?.status?.phase).toBe('Initializing');
    expect(world.probes()).toEqual([]);
    await world.kube.delete(NODE_OP, AT);
    await world.settle();
    expect(world.probes()).toHaveLength(1);
  });

  test('goes on with the NodeOp it made before it was interrupted', async () => {
    await world.begin();
    const before = world.upgrade();
    const owner = {
      apiVersion: 'operator.kairos.io/v1alpha1',
      kind: 'NodeOpUpgrade',
      name: AT.name,
      uid: before?.metadata.uid,
      controller: true,
    };
    await world.kube.create(
      NODE_OP,
      { metadata: { name: AT.name, ownerReferences: [owner] }, spec: { command: ['true'] } },
      AT.namespace,
    );
    await world.settle();
    expect(world.upgrade()?.status).toMatchObject({ nodeOpName: 'to-v2', message: 'NodeOp created' });
    expect(world.probes()).toEqual([]);
  });

  test('goes on to end with the published words, and with the details in its conditions and Event', async () => {
    await world.begin();
    await world.kubeletSays(ended(RELEASE));
    const n1 = { phase: 'Failed', message: 'the command failed' } as const;
    await world.nodeOpSays({ phase: 'Failed', nodeStatuses: { n1 } });
    expect(world.upgrade()?.status?.message).toBe('Upgrade operation failed');
    expect(world.events.at(-1)?.message).toBe('Upgrade operation failed: n1: the command failed');
  });

  test('with nothing to do is refused in words', async () => {
    await world.begin({ upgradeActive: false });
    expect(world.upgrade()?.status).toMatchObject({
      phase: 'Failed',
      message: expect.stringMatching(/^spec\.upgradeRecovery: .*nothing to do/),
    });
  });

  test('says nothing twice', async () => {
    await world.begin();
    await world.kubeletSays(ended(RELEASE));
    await world.nodeOpSays({ phase: 'Running', progress: '1/2' });
    const version = world.kube.store.version;
    await reconcileUpgrade(AT, world.deps);
    expect(world.kube.store.version).toBe(version);
  });
});
