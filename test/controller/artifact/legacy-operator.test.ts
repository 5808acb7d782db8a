/** OSArtifacts that the Go operator has worked on. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { reconcileArtifact } from '../../../controller/artifact/controller.js';
import { JOBS, PODS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { IMAGE } from './samples.js';
import { AT, ArtifactSetup } from './setup.js';

const READY = { imageName: IMAGE, iso: true };

let setup = new ArtifactSetup();
beforeEach(() => {
  setup = new ArtifactSetup();
});

describe('an OSArtifact of the Go operator', () => {
  test('is not built again while its spec is unchanged, when it is Ready', async () => {
    await setup.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: READY }, AT.namespace);
    await setup.kube.patch(OS_ARTIFACT, AT, { status: { phase: 'Ready' } }, { subresource: 'status' });
    await setup.settle();
    expect([...setup.phaseAndMessage(), setup.pods().length]).toEqual(['Ready', 'built before', 0]);
    await setup.settle();
    expect(setup.pods()).toEqual([]);
    await setup.change({ ...READY, cloudImage: true });
    expect([setup.phaseAndMessage()[0], setup.pods().length]).toEqual(['Building', 1]);
  });

  test.each(['Pending', 'Building', 'Exporting', 'Error'])(
    'is built again when it was %s, and its objects are deleted or reused',
    async phase => {
      await setup.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: READY }, AT.namespace);
      await setup.kube.patch(OS_ARTIFACT, AT, { status: { phase } }, { subresource: 'status' });
      const { uid } = setup.artifact()?.metadata ?? { uid: '' };
      const owner = { apiVersion: 'build.kairos.io/v1alpha2', kind: 'OSArtifact', name: 'os', uid };
      const child = (name: string, annotations = {}) => ({ metadata: { name, annotations, ownerReferences: [owner] } });
      await setup.kube.create(VOLUME_CLAIMS, child('os-artifacts'), 'default');
      await setup.kube.create(PODS, { ...child('os-x7k2p'), spec: {} }, 'default');
      await setup.kube.create(
        JOBS,
        { ...child('os-export-0', { 'build.kairos.io/export-index': '0' }), spec: {} },
        'default',
      );
      await setup.settle();
      expect(setup.phaseAndMessage()[0]).toBe('Building');
      expect([
        setup
          .pods()
          .map(({ metadata }) => metadata.name)
          .includes('os-x7k2p'),
        setup.jobs(),
      ]).toEqual([false, []]);
      await setup.setPodStatus('Succeeded', []);
      expect(setup.phaseAndMessage()[0]).toBe('Ready');
    },
  );

  test('loses its finalizer when it is deleted, and nothing is created for it', async () => {
    const metadata = { name: AT.name, finalizers: ['build.kairos.io/osbuilder-finalizer'] };
    await setup.kube.create(OS_ARTIFACT, { metadata, spec: READY }, AT.namespace);
    await setup.kube.delete(OS_ARTIFACT, AT);
    await setup.settle();
    expect([setup.artifact(), setup.pods()]).toEqual([undefined, []]);
  });

  test('is not written again without a change', async () => {
    await setup.create(READY);
    const { version } = setup.kube.store;
    await reconcileArtifact(AT, setup.deps);
    expect(setup.kube.store.version).toBe(version);
  });
});
