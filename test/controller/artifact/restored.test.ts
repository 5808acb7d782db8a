/** An OSArtifact that is restored from a backup or copied: nothing is built or exported before a retry. */
import { describe, expect, test } from '@jest/globals';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import type { OSArtifact } from '../../../api/objects.js';
import { CONFIG_MAPS, JOBS, PODS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { restored, type RestoreOptions } from '../../fakes/cluster/backup.js';
import { DOCUMENTED } from './samples.js';
import { AT, ArtifactSetup } from './setup.js';

const SPEC = {
  ...DOCUMENTED['iso-and-exporter'],
  imageName: undefined,
  baseImageDockerfile: { name: 'def' },
  grubConfig: 'x',
};
const LISTED = {
  name: 'list-artifacts',
  state: { terminated: { exitCode: 0, message: `${'b'.repeat(64)} 1 os.iso\n` } },
};
const CHILDREN = [JOBS, PODS, CONFIG_MAPS, SECRETS, VOLUME_CLAIMS];

type Stage = 'Pending' | 'Building' | 'Exporting' | 'Ready' | 'Error';

async function setupAt(stage: Stage, metadata: object = {}): Promise<ArtifactSetup> {
  const setup = new ArtifactSetup();
  if (stage !== 'Pending') await setup.secret('def', { Dockerfile: 'FROM x' });
  await setup.kube.create(OS_ARTIFACT, { metadata: { name: AT.name, ...metadata }, spec: SPEC }, AT.namespace);
  await setup.settle();
  if (stage === 'Error') await setup.setPodStatus('Failed');
  if (stage === 'Exporting' || stage === 'Ready') await setup.setPodStatus('Succeeded', [LISTED]);
  if (stage === 'Ready') await setup.setJobCondition('os-export-0', 'Complete');
  expect(setup.phaseAndMessage()[0]).toBe(stage);
  return setup;
}

function saved(setup: ArtifactSetup): OSArtifact {
  const artifact = setup.artifact();
  if (artifact === undefined) throw new Error('there is no OSArtifact');
  return artifact;
}

/** The object and its children are gone; then it is created again, and its Secret has another version. */
async function loseAndRestore(setup: ArtifactSetup, { keepStatus = false }: RestoreOptions = {}): Promise<void> {
  const former = saved(setup);
  const { kube } = setup;
  await kube.delete(OS_ARTIFACT, AT);
  for (const resource of CHILDREN)
    for (const { metadata } of kube.store.all({
      collection: `${resource.group}/${resource.version}/${resource.plural}`,
    }))
      await kube.delete(resource, { namespace: 'default', name: metadata.name });
  await setup.secret('def', { Dockerfile: 'FROM x' });
  const { status, ...rest } = restored(former) as OSArtifact;
  await kube.create(OS_ARTIFACT, rest, AT.namespace);
  if (keepStatus) await kube.patch(OS_ARTIFACT, AT, { status }, { subresource: 'status' });
  setup.events.length = 0;
  await setup.settle();
}

const reasonOf = (setup: ArtifactSetup) => setup.status()?.conditions?.[0]?.reason;
const markIsOwn = (setup: ArtifactSetup) =>
  setup.artifact()?.metadata.annotations?.[ANNOTATIONS.started] === setup.artifact()?.metadata.uid;

async function retryWith(setup: ArtifactSetup, value: string): Promise<void> {
  await setup.kube.patch(OS_ARTIFACT, AT, { metadata: { annotations: { [ANNOTATIONS.retry]: value } } });
  await setup.settle();
}

const STAGES: Stage[] = ['Pending', 'Building', 'Exporting', 'Ready', 'Error'];

describe('A restored OSArtifact', () => {
  test.each(STAGES)('that was %s builds and exports nothing, and the message says what to do', async stage => {
    const setup = await setupAt(stage);
    await loseAndRestore(setup);
    expect([setup.phaseAndMessage()[0], reasonOf(setup), markIsOwn(setup)]).toEqual(['Error', 'Restored', false]);
    expect([setup.pods(), setup.jobs()]).toEqual([[], []]);
    expect(setup.status()?.message).toContain('set the annotation operator.kairos.io/retry to a new value');
    expect(setup.reasons()).toEqual(['Restored']);
  });

  test.each(STAGES)('that was %s and is restored with its status builds and exports nothing', async stage => {
    const setup = await setupAt(stage);
    await loseAndRestore(setup, { keepStatus: true });
    expect(setup.phaseAndMessage()[0]).toBe(stage === 'Ready' ? 'Ready' : 'Error');
    expect([setup.pods(), setup.jobs()]).toEqual([[], []]);
  });

  test('is built after a retry, with its own mark', async () => {
    const setup = await setupAt('Ready');
    await loseAndRestore(setup);
    await retryWith(setup, 'again');
    expect([setup.phaseAndMessage()[0], markIsOwn(setup), setup.pods().length]).toEqual(['Building', true, 1]);
    expect(setup.status()?.retry).toBeUndefined();
    await setup.setPodStatus('Succeeded', [LISTED]);
    await setup.setJobCondition('os-export-0', 'Complete');
    expect(setup.phaseAndMessage()[0]).toBe('Ready');
  });

  test('is not built by the value of a retry that was restored with it', async () => {
    const setup = await setupAt('Ready', { annotations: { [ANNOTATIONS.retry]: 'former' } });
    await loseAndRestore(setup);
    await retryWith(setup, 'former');
    expect([reasonOf(setup), setup.pods()]).toEqual(['Restored', []]);
    await retryWith(setup, 'again');
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('is not built by a change of its spec, and its status follows the generation', async () => {
    const setup = await setupAt('Ready');
    await loseAndRestore(setup);
    await setup.change({ grubConfig: 'y' });
    expect([reasonOf(setup), setup.pods()]).toEqual(['Restored', []]);
    expect(setup.status()?.observedGeneration).toBe(setup.artifact()?.metadata.generation);
  });

  test('that stays Ready is built again when its spec changes', async () => {
    const setup = await setupAt('Ready');
    await loseAndRestore(setup, { keepStatus: true });
    await setup.change({ grubConfig: 'y' });
    expect([setup.phaseAndMessage()[0], setup.pods().length]).toEqual(['Building', 1]);
  });

  test('can be deleted', async () => {
    const setup = await setupAt('Ready');
    await loseAndRestore(setup);
    await setup.kube.delete(OS_ARTIFACT, AT);
    await setup.settle();
    expect(setup.artifact()).toBeUndefined();
  });
});

describe('The mark of an OSArtifact', () => {
  test('is written before its first object', async () => {
    const setup = new ArtifactSetup();
    await setup.secret('def', { Dockerfile: 'FROM x' });
    const order: string[] = [];
    setup.kube.store.onEvent((collection, { object }) => {
      const { annotations } = object.metadata as { annotations?: object };
      const what = collection.split('/').at(-1) ?? '';
      order.push(what === 'osartifacts' && annotations && ANNOTATIONS.started in annotations ? 'marked' : what);
    });
    await setup.create(SPEC);
    /* The second change of a marked object is the record that its definition is being rendered. */
    expect(order.slice(0, 4)).toEqual(['osartifacts', 'marked', 'marked', 'configmaps']);
  });

  test.each(['Building', 'Ready', 'Error'] as const)(
    'is added to an artifact of an older release that is %s, without building it again',
    async stage => {
      const setup = await setupAt(stage);
      const pods = setup.pods().map(({ metadata }) => metadata.uid);
      await setup.kube.patch(OS_ARTIFACT, AT, { metadata: { annotations: null } });
      await setup.kube.patch(OS_ARTIFACT, AT, { status: { uid: null } }, { subresource: 'status' });
      await setup.settle();
      expect([setup.phaseAndMessage()[0], markIsOwn(setup)]).toEqual([stage, true]);
      expect(setup.pods().map(({ metadata }) => metadata.uid)).toEqual(pods);
    },
  );
});

test('Of the objects of an artifact only the claim, which has the files, is in backups', async () => {
  const setup = await setupAt('Exporting');
  const labelsOf = (resource: (typeof CHILDREN)[number]) =>
    setup.kube.store
      .all({ collection: `${resource.group}/${resource.version}/${resource.plural}` })
      .filter(({ metadata }) => metadata.name !== 'def')
      .map(({ metadata }) => metadata.labels?.['velero.io/exclude-from-backup'] === 'true');
  expect(CHILDREN.map(labelsOf)).toEqual([[true], [true], [true], [true], [false]]);
});
