/** Whatever is written last before the controller dies, the one that follows brings the build to the same end. */
import { describe, expect, test } from '@jest/globals';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { CONFIG_MAPS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { DOCUMENTED } from './samples.js';
import { AT, ArtifactSetup } from './setup.js';

class Died extends Error {}

/** The nth write from now is the last: it is done and nobody hears of it, or it is not even sent. */
function dieAt(setup: ArtifactSetup, nth: number, isDone: boolean): () => boolean {
  const { kube } = setup.deps;
  let left = nth;
  let died = false;
  const dying =
    <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      left -= 1;
      if (left !== 0) return write(...args);
      died = true;
      if (isDone) await write(...args);
      throw new Died();
    };
  setup.deps.kube = {
    ...kube,
    get: kube.get.bind(kube),
    create: dying(kube.create.bind(kube)) as typeof kube.create,
    patch: dying(kube.patch.bind(kube)) as typeof kube.patch,
    delete: dying(kube.delete.bind(kube)),
  };
  return () => died;
}

/** The next controller goes on; what the last one wrote is in its caches. */
async function settled(setup: ArtifactSetup, alive: ArtifactSetup['deps']['kube']): Promise<void> {
  try {
    await setup.settle();
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    setup.deps.kube = alive;
    await setup.settle();
  }
}

const SPEC = {
  ...DOCUMENTED['iso-and-exporter'],
  imageName: undefined,
  baseImageDockerfile: { name: 'def' },
  grubConfig: 'x',
};
const SUM = 'b'.repeat(64);
const LISTED = { name: 'list-artifacts', state: { terminated: { exitCode: 0, message: `${SUM} 1 os.iso\n` } } };

async function wholeStory(nth: number, isDone: boolean) {
  const setup = new ArtifactSetup();
  await setup.secret('def', { Dockerfile: 'FROM x' });
  const alive = setup.deps.kube;
  await setup.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: SPEC }, AT.namespace);
  const died = dieAt(setup, nth, isDone);
  await settled(setup, alive);
  setup.deps.kube = died() ? alive : setup.deps.kube;
  await setup.setPodStatus('Succeeded', [LISTED]).catch((error: unknown) => {
    if (!(error instanceof Died)) throw error;
    setup.deps.kube = alive;
  });
  await settled(setup, alive);
  await setup.setJobCondition('os-export-0', 'Complete').catch((error: unknown) => {
    if (!(error instanceof Died)) throw error;
    setup.deps.kube = alive;
  });
  await settled(setup, alive);
  return { setup, died: died() };
}

describe.each([
  ['before it is sent', false],
  ['before its answer comes', true],
])('a controller that dies with a write, %s,', (_, isDone) => {
  test('is followed by one that ends the build', async () => {
    let deaths = 0;
    for (let nth = 1; nth < 30; nth += 1) {
      const { setup, died } = await wholeStory(nth, isDone);
      deaths += died ? 1 : 0;
      expect({ nth, said: setup.phaseAndMessage(), pods: setup.pods().length, jobs: setup.jobs() }).toEqual({
        nth,
        said: ['Ready', 'built: os.iso'],
        pods: 1,
        jobs: ['os-export-0'],
      });
    }
    /* ConfigMap, Secret, claim, Pod, Job, and a status after each stage. */
    expect(deaths).toBeGreaterThanOrEqual(8);
  });
});

describe('an object deleted', () => {
  test.each(['Pending', 'Building', 'Exporting'])(
    'while %s gets nothing more, and all of its own bears its name as owner',
    async phase => {
      const setup = new ArtifactSetup();
      if (phase !== 'Pending') await setup.secret('def', { Dockerfile: 'FROM x' });
      await setup.create(SPEC);
      if (phase === 'Exporting') await setup.setPodStatus('Succeeded', [LISTED]);
      expect(setup.phaseAndMessage()[0]).toBe(phase);
      const uid = setup.artifact()?.metadata.uid;
      const children = [...setup.pods(), ...setup.deps.exports.list(), ...setup.claims()];
      expect(children.every(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid)).toBe(true);
      await setup.kube.delete(OS_ARTIFACT, AT);
      const { version } = setup.kube.store;
      await setup.settle();
      expect(setup.kube.store.version).toBe(version);
    },
  );

  test('and made again at once waits for what is left of the first, then is built', async () => {
    const setup = new ArtifactSetup();
    await setup.secret('def', { Dockerfile: 'FROM x' });
    await setup.create(SPEC);
    await setup.kube.delete(OS_ARTIFACT, AT);
    await setup.create(SPEC);
    expect(setup.phaseAndMessage()).toEqual([
      'Pending',
      expect.stringMatching(/^waiting for the ConfigMap "os" of an earlier object/),
    ]);
    const left = [
      [CONFIG_MAPS, 'os'],
      [SECRETS, 'os-rendered-ocispec'],
      [VOLUME_CLAIMS, 'os-artifacts'],
    ] as const;
    for (const [resource, name] of left) await setup.kube.delete(resource, { namespace: 'default', name });
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
    expect(setup.pods().at(-1)?.metadata.ownerReferences?.[0]?.uid).toBe(setup.artifact()?.metadata.uid);
  });
});
