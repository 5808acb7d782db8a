/** The API server lets something not be made: the status says why, and the upgrade does not wait for ever. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { NODE_OP_UPGRADE } from '../../../api/kinds.js';
import { reconcileUpgrade } from '../../../controller/upgrade/controller.js';
import { ended, node, RELEASE } from './samples.js';
import { AT, World } from './world.js';

const no = (code: number, message: string) => ({ code, body: { reason: 'Forbidden', message } });
const QUOTA = no(403, 'exceeded quota: pods');
const INVALID = no(422, 'NodeOp "to-v2" is invalid: spec.image');

let world = new World();
beforeEach(async () => {
  world = new World();
  await world.joins(node('n1'));
});

const status = () => world.upgrade()?.status;
const condition = (type: string) => status()?.conditions?.find(each => each.type === type);
/** Time goes by in steps of what each pass asks for. */
const goBy = async (seconds: number) => {
  const end = world.clock.now().getTime() + seconds * 1000;
  while (world.clock.now().getTime() < end) {
    const outcome = await reconcileUpgrade(AT, world.deps);
    await world.clock.advance(outcome.then === 'requeue' ? Math.max(outcome.afterMs, 100) : 1000);
  }
  await world.settle();
};

describe('a Pod that the namespace refuses', () => {
  beforeEach(() => void world.kube.refusals.set('create pods', QUOTA));

  test("is told of in the server's words while it is tried again", async () => {
    await world.begin();
    expect(status()).toMatchObject({ phase: 'Initializing', message: expect.stringContaining('exceeded quota: pods') });
    expect(condition('Reconciling')).toMatchObject({ status: 'True', reason: 'PodRefused' });
    expect(world.reasons()).toEqual(['Probing', 'PodRefused']);
  });

  test('is not asked for again before ten seconds are over', async () => {
    await world.begin();
    const asked = world.kube.asked('create pods');
    for (let passes = 0; passes < 5; passes += 1) await reconcileUpgrade(AT, world.deps);
    expect(await reconcileUpgrade(AT, world.deps)).toEqual({ then: 'requeue', afterMs: 10_000 });
    expect(world.kube.asked('create pods')).toBe(asked);
    await goBy(60);
    expect(world.kube.asked('create pods') - asked).toBeLessThanOrEqual(7);
    expect(world.kube.asked('create pods') - asked).toBeGreaterThanOrEqual(5);
  });

  test('is made as soon as it may be', async () => {
    await world.begin();
    world.kube.refusals.clear();
    await goBy(11);
    expect(world.probes()).toHaveLength(1);
    expect(status()?.message).not.toContain('quota');
  });

  test('is asked for at once when the spec was changed', async () => {
    await world.begin();
    world.kube.refusals.clear();
    await world.kube.patch(NODE_OP_UPGRADE, AT, { spec: { image: 'another:v3' } });
    await world.settle();
    expect(world.probes()).toHaveLength(1);
  });

  test('is the end of the upgrade after startDeadlineSeconds', async () => {
    await world.begin({ startDeadlineSeconds: 60 });
    await goBy(50);
    expect(status()?.phase).toBe('Initializing');
    await goBy(20);
    expect(status()).toMatchObject({ phase: 'Failed', message: expect.stringContaining('exceeded quota: pods') });
    expect(condition('Failed')).toMatchObject({ status: 'True', reason: 'ProbeFailed' });
    expect(world.reasons().at(-1)).toBe('ProbeFailed');
  });

  test('says nothing twice', async () => {
    await world.begin();
    const { version } = world.kube.store;
    await goBy(40);
    expect(world.kube.store.version).toBe(version);
  });

  test('keeps no other Pod from being removed', async () => {
    await world.begin();
    world.kube.refusals.clear();
    await goBy(11);
    world.kube.refusals.set('create pods', QUOTA);
    await world.kube.patch(NODE_OP_UPGRADE, AT, { spec: { image: 'another:v3' } });
    await world.settle();
    expect(world.probes()).toEqual([]);
    expect(status()?.message).toContain('exceeded quota: pods');
  });
});

describe('a NodeOp that is refused', () => {
  beforeEach(async () => {
    world.kube.refusals.set('create nodeops', INVALID);
    await world.begin({ startDeadlineSeconds: 60 });
    await world.clock.advance(3_000_000);
    await world.kubeletSays(ended(RELEASE));
  });

  test("is told of in the server's words, with what was read of the image kept", () => {
    expect(status()).toMatchObject({
      phase: 'Initializing',
      message: expect.stringContaining('spec.image'),
      target: { releases: { amd64: { version: 'v2' } } },
    });
    expect(condition('Reconciling')).toMatchObject({ reason: 'InvalidSpec' });
  });

  test('is made as soon as it may be', async () => {
    world.kube.refusals.clear();
    await goBy(11);
    expect(status()).toMatchObject({ message: 'NodeOp created', nodeOpName: 'to-v2' });
  });

  test('is the end of the upgrade after startDeadlineSeconds, counted from the first refusal', async () => {
    await goBy(50);
    expect(status()?.phase).toBe('Initializing');
    await goBy(20);
    expect(status()).toMatchObject({ phase: 'Failed', message: expect.stringContaining('spec.image') });
    expect(condition('Failed')).toMatchObject({ status: 'True', reason: 'InvalidSpec' });
    expect(world.nodeOp()).toBeUndefined();
  });
});
