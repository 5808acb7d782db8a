/** What an earlier operator left, and what is being deleted. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { reconcileArtifact } from '../../../controller/artifact/controller.js';
import { JOBS, PODS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { IMAGE } from './samples.js';
import { AT, World } from './world.js';

const READY = { imageName: IMAGE, iso: true };

let world = new World();
beforeEach(() => {
  world = new World();
});

describe('an end', () => {
  test('one that the Go operator built is not built again until its spec changes', async () => {
    await world.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: READY }, AT.namespace);
    await world.kube.patch(OS_ARTIFACT, AT, { status: { phase: 'Ready' } }, { subresource: 'status' });
    await world.settle();
    expect([...world.said(), world.pods().length]).toEqual(['Ready', 'built before', 0]);
    await world.settle();
    expect(world.pods()).toEqual([]);
    await world.change({ ...READY, cloudImage: true });
    expect([world.said()[0], world.pods().length]).toEqual(['Building', 1]);
  });

  test.each(['Pending', 'Building', 'Exporting', 'Error'])(
    'what the Go operator had made when it was %s goes or is used, and the build begins anew',
    async phase => {
      await world.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: READY }, AT.namespace);
      await world.kube.patch(OS_ARTIFACT, AT, { status: { phase } }, { subresource: 'status' });
      const { uid } = world.artifact()?.metadata ?? { uid: '' };
      const owner = { apiVersion: 'build.kairos.io/v1alpha2', kind: 'OSArtifact', name: 'os', uid };
      const made = (name: string, annotations = {}) => ({ metadata: { name, annotations, ownerReferences: [owner] } });
      await world.kube.create(VOLUME_CLAIMS, made('os-artifacts'), 'default');
      await world.kube.create(PODS, { ...made('os-x7k2p'), spec: {} }, 'default');
      await world.kube.create(
        JOBS,
        { ...made('os-export-0', { 'build.kairos.io/export-index': '0' }), spec: {} },
        'default',
      );
      await world.settle();
      expect(world.said()[0]).toBe('Building');
      expect([
        world
          .pods()
          .map(({ metadata }) => metadata.name)
          .includes('os-x7k2p'),
        world.jobs(),
      ]).toEqual([false, []]);
      await world.podSays('Succeeded', []);
      expect(world.said()[0]).toBe('Ready');
    },
  );

  test('nothing is made for an object that is being deleted, and the finalizer of the Go operator goes', async () => {
    const metadata = { name: AT.name, finalizers: ['build.kairos.io/osbuilder-finalizer'] };
    await world.kube.create(OS_ARTIFACT, { metadata, spec: READY }, AT.namespace);
    await world.kube.delete(OS_ARTIFACT, AT);
    await world.settle();
    expect([world.artifact(), world.pods()]).toEqual([undefined, []]);
  });

  test('says nothing twice', async () => {
    await world.begin(READY);
    const { version } = world.kube.store;
    await reconcileArtifact(AT, world.deps);
    expect(world.kube.store.version).toBe(version);
  });
});
