/** Whatever is written last before the controller dies, the one that follows brings the build to the same end. */
import { describe, expect, test } from '@jest/globals';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { CONFIG_MAPS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { DOCUMENTED } from './samples.js';
import { AT, World } from './world.js';

class Died extends Error {}

/** The nth write from now is the last: it is done and nobody hears of it, or it is not even sent. */
function dieAt(world: World, nth: number, isDone: boolean): () => boolean {
  const { kube } = world.deps;
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
  world.deps.kube = {
    ...kube,
    get: kube.get.bind(kube),
    create: dying(kube.create.bind(kube)) as typeof kube.create,
    patch: dying(kube.patch.bind(kube)) as typeof kube.patch,
    delete: dying(kube.delete.bind(kube)),
  };
  return () => died;
}

/** The next controller goes on; what the last one wrote is in its caches. */
async function settled(world: World, alive: World['deps']['kube']): Promise<void> {
  try {
    await world.settle();
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    world.deps.kube = alive;
    await world.settle();
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
  const world = new World();
  await world.secret('def', { Dockerfile: 'FROM x' });
  const alive = world.deps.kube;
  await world.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: SPEC }, AT.namespace);
  const died = dieAt(world, nth, isDone);
  await settled(world, alive);
  world.deps.kube = died() ? alive : world.deps.kube;
  await world.podSays('Succeeded', [LISTED]).catch((error: unknown) => {
    if (!(error instanceof Died)) throw error;
    world.deps.kube = alive;
  });
  await settled(world, alive);
  await world.jobSays('os-export-0', 'Complete').catch((error: unknown) => {
    if (!(error instanceof Died)) throw error;
    world.deps.kube = alive;
  });
  await settled(world, alive);
  return { world, died: died() };
}

describe.each([
  ['before it is sent', false],
  ['before its answer comes', true],
])('a controller that dies with a write, %s,', (_, isDone) => {
  test('is followed by one that ends the build', async () => {
    let deaths = 0;
    for (let nth = 1; nth < 30; nth += 1) {
      const { world, died } = await wholeStory(nth, isDone);
      deaths += died ? 1 : 0;
      expect({ nth, said: world.said(), pods: world.pods().length, jobs: world.jobs() }).toEqual({
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
      const world = new World();
      if (phase !== 'Pending') await world.secret('def', { Dockerfile: 'FROM x' });
      await world.begin(SPEC);
      if (phase === 'Exporting') await world.podSays('Succeeded', [LISTED]);
      expect(world.said()[0]).toBe(phase);
      const uid = world.artifact()?.metadata.uid;
      const children = [...world.pods(), ...world.deps.exports.list(), ...world.claims()];
      expect(children.every(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid)).toBe(true);
      await world.kube.delete(OS_ARTIFACT, AT);
      const { version } = world.kube.store;
      await world.settle();
      expect(world.kube.store.version).toBe(version);
    },
  );

  test('and made again at once waits for what is left of the first, then is built', async () => {
    const world = new World();
    await world.secret('def', { Dockerfile: 'FROM x' });
    await world.begin(SPEC);
    await world.kube.delete(OS_ARTIFACT, AT);
    await world.begin(SPEC);
    expect(world.said()).toEqual([
      'Pending',
      expect.stringMatching(/^waiting for the ConfigMap "os" of an earlier object/),
    ]);
    const left = [
      [CONFIG_MAPS, 'os'],
      [SECRETS, 'os-rendered-ocispec'],
      [VOLUME_CLAIMS, 'os-artifacts'],
    ] as const;
    for (const [resource, name] of left) await world.kube.delete(resource, { namespace: 'default', name });
    await world.settle();
    expect(world.said()[0]).toBe('Building');
    expect(world.pods().at(-1)?.metadata.ownerReferences?.[0]?.uid).toBe(world.artifact()?.metadata.uid);
  });
});
