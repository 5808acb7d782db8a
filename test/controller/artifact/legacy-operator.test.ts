/** What an earlier operator left, and what is being deleted. */
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

describe('an end', () => {
  test('one that the Go operator built is not built again until its spec changes', async () => {
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
    'what the Go operator had made when it was %s goes or is used, and the build begins anew',
    async phase => {
      await setup.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: READY }, AT.namespace);
      await setup.kube.patch(OS_ARTIFACT, AT, { status: { phase } }, { subresource: 'status' });
      const { uid } = setup.artifact()?.metadata ?? { uid: '' };
      const owner = { apiVersion: 'build.kairos.io/v1alpha2', kind: 'OSArtifact', name: 'os', uid };
      const made = (name: string, annotations = {}) => ({ metadata: { name, annotations, ownerReferences: [owner] } });
      await setup.kube.create(VOLUME_CLAIMS, made('os-artifacts'), 'default');
      await setup.kube.create(PODS, { ...made('os-x7k2p'), spec: {} }, 'default');
      await setup.kube.create(
        JOBS,
        { ...made('os-export-0', { 'build.kairos.io/export-index': '0' }), spec: {} },
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

  test('nothing is made for an object that is being deleted, and the finalizer of the Go operator goes', async () => {
    const metadata = { name: AT.name, finalizers: ['build.kairos.io/osbuilder-finalizer'] };
    await setup.kube.create(OS_ARTIFACT, { metadata, spec: READY }, AT.namespace);
    await setup.kube.delete(OS_ARTIFACT, AT);
    await setup.settle();
    expect([setup.artifact(), setup.pods()]).toEqual([undefined, []]);
  });

  test('says nothing twice', async () => {
    await setup.create(READY);
    const { version } = setup.kube.store;
    await reconcileArtifact(AT, setup.deps);
    expect(setup.kube.store.version).toBe(version);
  });
});
