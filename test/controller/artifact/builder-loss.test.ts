/** Builder Pods that are lost: deleted by a user, evicted by a drain, or lost with their node. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PODS } from '../../../kube/resources.js';
import { IMAGE } from './samples.js';
import { ArtifactSetup } from './setup.js';

const READY = { imageName: IMAGE, iso: true };
const done = (name: string) => ({ name, state: { terminated: { exitCode: 0 } } });
const ended = (exitCode: number, reason: string) => [
  { name: 'build-iso', state: { terminated: { exitCode, reason, message: 'output' } } },
];

let setup = new ArtifactSetup();
beforeEach(() => {
  setup = new ArtifactSetup();
});

const uid = () => setup.pods()[0]?.metadata.uid;

describe('a build whose Pod is lost', () => {
  test.each([
    ['evicted by its node', [], { reason: 'Evicted', message: 'The node was low on resource: memory.' }],
    ['ended by the shutdown of its node', ended(137, 'Error'), { reason: 'Terminated', message: 'node shutdown' }],
    [
      'evicted by a drain',
      ended(143, 'Error'),
      { conditions: [{ type: 'DisruptionTarget', status: 'True', message: 'Eviction API: evicting' }] },
    ],
    ['lost with its node', ended(255, 'Unknown'), {}],
    ['of unknown end', ended(137, 'ContainerStatusUnknown'), {}],
    ['rejected by its node', [], { reason: 'OutOfcpu', message: 'Node did not have enough resource' }],
  ])('starts again after its Pod is %s', async (_, containers, status) => {
    await setup.create(READY);
    const first = uid();
    await setup.setPodStatus('Failed', containers, status);
    expect(setup.pods()).toHaveLength(1);
    expect(uid()).not.toBe(first);
    expect(setup.status()).toMatchObject({ phase: 'Building', attempt: 2 });
    expect(setup.reasons()).toEqual(['Building', 'BuilderLost', 'Building']);
  });

  test('starts again only after its terminating Pod is deleted', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Running', [{ name: 'build-iso', state: { running: {} } }]);
    const first = uid();
    const finishDeletion = await setup.deletePodSlowly();
    expect(setup.phaseAndMessage()).toEqual([
      'Building',
      'the builder Pod is being deleted; the build starts again when it is deleted',
    ]);
    expect(uid()).toBe(first);
    await finishDeletion();
    expect(uid()).not.toBe(first);
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('starts again as the same build when the spec is changed and changed back while the Pod terminates', async () => {
    await setup.create(READY);
    const finishDeletion = await setup.deletePodSlowly();
    await setup.change({ ...READY, cloudImage: true });
    expect(setup.phaseAndMessage()).toEqual(['Pending', 'waiting for an earlier build of this object to be deleted']);
    await setup.change({ ...READY, cloudImage: false });
    await finishDeletion();
    await setup.setPodStatus('Running', [{ name: 'build-iso', state: { running: {} } }]);
    expect(setup.phaseAndMessage()).toEqual(['Building', 'step 1 of 1, build-iso, is running']);
  });

  test('starts again after a failure when the spec is changed and changed back', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Failed', ended(1, 'Error'));
    const finishDeletion = await setup.deletePodSlowly();
    await setup.change({ ...READY, cloudImage: true });
    await finishDeletion();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('reports how its last Pod was lost, although that Pod is deleted before the build fails', async () => {
    await setup.create(READY);
    for (let round = 0; round < 3; round += 1) await setup.setPodStatus('Failed', ended(255, 'Unknown'));
    const finishDeletion = await setup.deletePodSlowly();
    expect(setup.phaseAndMessage()).toEqual([
      'Building',
      'the builder Pod is being deleted; the build fails when it is deleted',
    ]);
    await finishDeletion();
    expect(setup.phaseAndMessage()).toEqual([
      'Error',
      'the builder Pod was lost 4 times; the last time: the builder Pod is being deleted',
    ]);
    expect(setup.reasons().filter(reason => reason === 'BuilderLost')).toHaveLength(4);
  });

  test('starts again three times at most', async () => {
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

test('a lost Pod counts as an attempt even if the API server refuses its successor for a while', async () => {
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

describe('a build that is not repeated', () => {
  test.each([
    [
      'fails when it exceeds its storage limit',
      { reason: 'Evicted', message: 'Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.' },
      'Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.',
    ],
    [
      'fails when it exceeds its deadline',
      { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' },
      'DeadlineExceeded: Pod was active on the node longer than the specified deadline',
    ],
  ])('%s', async (_, status, message) => {
    await setup.create(READY);
    await setup.setPodStatus('Failed', [], status);
    expect(setup.phaseAndMessage()).toEqual(['Error', message]);
  });

  test('is Ready when its succeeded Pod is being deleted', async () => {
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
