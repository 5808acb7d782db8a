/** A controller that stops after any of its writes is followed by one that completes the build. */
import { describe, expect, test } from '@jest/globals';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { CONFIG_MAPS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { DOCUMENTED } from './samples.js';
import { AT, ArtifactSetup } from './setup.js';

class Crash extends Error {}

/** Makes the nth write the last one: it is either not sent, or it is performed and its response is lost. */
function crashAt(setup: ArtifactSetup, nth: number, isPerformed: boolean): () => boolean {
  const { kube } = setup.deps;
  let left = nth;
  let hasCrashed = false;
  const crashing =
    <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      left -= 1;
      if (left !== 0) return write(...args);
      hasCrashed = true;
      if (isPerformed) await write(...args);
      throw new Crash();
    };
  setup.deps.kube = {
    ...kube,
    get: kube.get.bind(kube),
    create: crashing(kube.create.bind(kube)) as typeof kube.create,
    patch: crashing(kube.patch.bind(kube)) as typeof kube.patch,
    delete: crashing(kube.delete.bind(kube)),
  };
  return () => hasCrashed;
}

/** Reconciles, with a new controller after a crash. Its caches have what the first one wrote. */
async function settleWithRestart(setup: ArtifactSetup, alive: ArtifactSetup['deps']['kube']): Promise<void> {
  try {
    await setup.settle();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
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

async function buildWithCrash(nth: number, isPerformed: boolean) {
  const setup = new ArtifactSetup();
  await setup.secret('def', { Dockerfile: 'FROM x' });
  const alive = setup.deps.kube;
  await setup.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: SPEC }, AT.namespace);
  const hasCrashed = crashAt(setup, nth, isPerformed);
  await settleWithRestart(setup, alive);
  setup.deps.kube = hasCrashed() ? alive : setup.deps.kube;
  await setup.setPodStatus('Succeeded', [LISTED]).catch((error: unknown) => {
    if (!(error instanceof Crash)) throw error;
    setup.deps.kube = alive;
  });
  await settleWithRestart(setup, alive);
  await setup.setJobCondition('os-export-0', 'Complete').catch((error: unknown) => {
    if (!(error instanceof Crash)) throw error;
    setup.deps.kube = alive;
  });
  await settleWithRestart(setup, alive);
  return { setup, hasCrashed: hasCrashed() };
}

describe.each([
  ['before it is sent', false],
  ['before its response arrives', true],
])('a controller that crashes at a write, %s,', (_, isPerformed) => {
  test('is followed by a controller that completes the build', async () => {
    let crashes = 0;
    for (let nth = 1; nth < 30; nth += 1) {
      const { setup, hasCrashed } = await buildWithCrash(nth, isPerformed);
      crashes += hasCrashed ? 1 : 0;
      expect({ nth, status: setup.phaseAndMessage(), pods: setup.pods().length, jobs: setup.jobs() }).toEqual({
        nth,
        status: ['Ready', 'built: os.iso'],
        pods: 1,
        jobs: ['os-export-0'],
      });
    }
    /* ConfigMap, Secret, claim, Pod, Job, and a status after each phase. */
    expect(crashes).toBeGreaterThanOrEqual(8);
  });
});

describe('a deleted OSArtifact', () => {
  test.each(['Pending', 'Building', 'Exporting'])(
    'changes nothing more while it is %s, and owns all objects that were created for it',
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

  test('is built, when it is created again, after the objects of the first one are deleted', async () => {
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
