/** Builder Pods that are taken away: by a person, by a drain, with their node. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PODS } from '../../../kube/resources.js';
import { IMAGE } from './samples.js';
import { ArtifactSetup } from './setup.js';

const READY = { imageName: IMAGE, iso: true };
const done = (name: string) => ({ name, state: { terminated: { exitCode: 0 } } });
const ended = (exitCode: number, reason: string) => [
  { name: 'build-iso', state: { terminated: { exitCode, reason, message: 'said' } } },
];

let setup = new ArtifactSetup();
beforeEach(() => {
  setup = new ArtifactSetup();
});

const uid = () => setup.pods()[0]?.metadata.uid;

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
    await setup.create(READY);
    const first = uid();
    await setup.setPodStatus('Failed', containers, status);
    expect(setup.pods()).toHaveLength(1);
    expect(uid()).not.toBe(first);
    expect(setup.status()).toMatchObject({ phase: 'Building', attempt: 2 });
    expect(setup.reasons()).toEqual(['Building', 'BuilderLost', 'Building']);
  });

  test('only once the Pod that is being deleted is gone', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Running', [{ name: 'build-iso', state: { running: {} } }]);
    const first = uid();
    const goes = await setup.deletePodSlowly();
    expect(setup.phaseAndMessage()).toEqual([
      'Building',
      'the builder Pod is being deleted; the build starts again when it is deleted',
    ]);
    expect(uid()).toBe(first);
    await goes();
    expect(uid()).not.toBe(first);
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('and when the spec goes there and back while the Pod leaves, it is the same build', async () => {
    await setup.create(READY);
    const goes = await setup.deletePodSlowly();
    await setup.change({ ...READY, cloudImage: true });
    expect(setup.phaseAndMessage()).toEqual(['Pending', 'waiting for an earlier build of this object to be deleted']);
    await setup.change({ ...READY, cloudImage: false });
    await goes();
    await setup.setPodStatus('Running', [{ name: 'build-iso', state: { running: {} } }]);
    expect(setup.phaseAndMessage()).toEqual(['Building', 'step 1 of 1, build-iso, is running']);
  });

  test('and a spec that went there and back after a failure is tried again', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Failed', ended(1, 'Error'));
    const goes = await setup.deletePodSlowly();
    await setup.change({ ...READY, cloudImage: true });
    await goes();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('three times, and no more', async () => {
    await setup.create(READY);
    for (let round = 0; round < 4; round += 1) await setup.setPodStatus('Failed', ended(255, 'Unknown'));
    expect(setup.phaseAndMessage()).toEqual([
      'Error',
      'the builder Pod was lost 4 times; the last time: the builder Pod was lost with its node',
    ]);
    await setup.settle();
    expect(setup.pods()).toEqual([]);
  });
});

test('a Pod that is lost again and again is counted though the API server refuses the next for a while', async () => {
  const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'exceeded quota' };
  await setup.create(READY);
  for (const attempt of [1, 2, 3, 4]) {
    expect(setup.status()?.attempt).toBe(attempt);
    setup.kube.refusals.set('create pods', { code: 403, body });
    await setup.setPodStatus('Failed', ended(255, 'Unknown'));
    setup.kube.refusals.clear();
    await setup.settle();
  }
  expect(setup.phaseAndMessage()[0]).toBe('Error');
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
    await setup.create(READY);
    await setup.setPodStatus('Failed', [], status);
    expect(setup.phaseAndMessage()).toEqual(['Error', words]);
  });

  test('with its Pod done, though somebody deletes that', async () => {
    await setup.create(READY);
    await setup.kube.patch(
      PODS,
      { namespace: 'default', name: setup.pods()[0]?.metadata.name ?? '' },
      { status: { phase: 'Succeeded', initContainerStatuses: [done('build-iso')] } },
      { subresource: 'status' },
    );
    await setup.deletePodSlowly();
    expect(setup.phaseAndMessage()[0]).toBe('Ready');
  });
});
