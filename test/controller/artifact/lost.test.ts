/** Builder Pods that are taken away: by a person, by a drain, with their node. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PODS } from '../../../kube/resources.js';
import { IMAGE } from './samples.js';
import { World } from './world.js';

const READY = { imageName: IMAGE, iso: true };
const done = (name: string) => ({ name, state: { terminated: { exitCode: 0 } } });
const ended = (exitCode: number, reason: string) => [
  { name: 'build-iso', state: { terminated: { exitCode, reason, message: 'said' } } },
];

let world = new World();
beforeEach(() => {
  world = new World();
});

const uid = () => world.pods()[0]?.metadata.uid;

describe('a build begins again', () => {
  test.each([
    ['evicted by its node', [], { reason: 'Evicted', message: 'The node was low on resource: memory.' }],
    ['ended as its node shut down', ended(137, 'Error'), { reason: 'Terminated', message: 'node shutdown' }],
    [
      'taken from its node by a drain',
      ended(143, 'Error'),
      { conditions: [{ type: 'DisruptionTarget', status: 'True', message: 'Eviction API: evicting' }] },
    ],
    ['lost with its node', ended(255, 'Unknown'), {}],
    ['of unknown end', ended(137, 'ContainerStatusUnknown'), {}],
    ['not let in by its node', [], { reason: 'OutOfcpu', message: 'Node did not have enough resource' }],
  ])('when its Pod is %s', async (_, containers, status) => {
    await world.begin(READY);
    const first = uid();
    await world.podSays('Failed', containers, status);
    expect(world.pods()).toHaveLength(1);
    expect(uid()).not.toBe(first);
    expect(world.status()).toMatchObject({ phase: 'Building', attempt: 2 });
    expect(world.reasons()).toEqual(['Building', 'BuilderLost', 'Building']);
  });

  test('only once the Pod that is being deleted is gone', async () => {
    await world.begin(READY);
    await world.podSays('Running', [{ name: 'build-iso', state: { running: {} } }]);
    const first = uid();
    const goes = await world.podIsGoing();
    expect(world.said()).toEqual([
      'Building',
      'the builder Pod is being deleted; the build begins again when it is gone',
    ]);
    expect(uid()).toBe(first);
    await goes();
    expect(uid()).not.toBe(first);
    expect(world.said()[0]).toBe('Building');
  });

  test('and when the spec goes there and back while the Pod leaves, it is the same build', async () => {
    await world.begin(READY);
    const goes = await world.podIsGoing();
    await world.change({ ...READY, cloudImage: true });
    expect(world.said()).toEqual(['Pending', 'waiting for an earlier build of this object to be gone']);
    await world.change({ ...READY, cloudImage: false });
    await goes();
    await world.podSays('Running', [{ name: 'build-iso', state: { running: {} } }]);
    expect(world.said()).toEqual(['Building', 'step 1 of 1, build-iso, is running']);
  });

  test('and a spec that went there and back after a failure is tried again', async () => {
    await world.begin(READY);
    await world.podSays('Failed', ended(1, 'Error'));
    const goes = await world.podIsGoing();
    await world.change({ ...READY, cloudImage: true });
    await goes();
    expect(world.said()[0]).toBe('Building');
  });

  test('three times, and no more', async () => {
    await world.begin(READY);
    for (let round = 0; round < 4; round += 1) await world.podSays('Failed', ended(255, 'Unknown'));
    expect(world.said()).toEqual([
      'Error',
      'the builder Pod was lost 4 times; the last time: the builder Pod was lost with its node',
    ]);
    await world.settle();
    expect(world.pods()).toEqual([]);
  });
});

test('a Pod that is lost again and again is counted though the API server refuses the next for a while', async () => {
  const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'exceeded quota' };
  await world.begin(READY);
  for (const attempt of [1, 2, 3, 4]) {
    expect(world.status()?.attempt).toBe(attempt);
    world.kube.refusals.set('create pods', { code: 403, body });
    await world.podSays('Failed', ended(255, 'Unknown'));
    world.kube.refusals.clear();
    await world.settle();
  }
  expect(world.said()[0]).toBe('Error');
});

describe('a build ends', () => {
  test.each([
    [
      'when it takes more room than it may',
      { reason: 'Evicted', message: 'Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.' },
      'Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.',
    ],
    [
      'when it hangs until its deadline',
      { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' },
      'DeadlineExceeded: Pod was active on the node longer than the specified deadline',
    ],
  ])('%s', async (_, status, words) => {
    await world.begin(READY);
    await world.podSays('Failed', [], status);
    expect(world.said()).toEqual(['Error', words]);
  });

  test('with its Pod done, though somebody deletes that', async () => {
    await world.begin(READY);
    await world.kube.patch(
      PODS,
      { namespace: 'default', name: world.pods()[0]?.metadata.name ?? '' },
      { status: { phase: 'Succeeded', initContainerStatuses: [done('build-iso')] } },
      { subresource: 'status' },
    );
    await world.podIsGoing();
    expect(world.said()[0]).toBe('Ready');
  });
});
