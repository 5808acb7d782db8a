/** Nothing is waited for in silence, and nothing for ever. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { reconcileArtifact } from '../../../controller/artifact/controller.js';
import { CONFIG_MAPS, PODS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { IMAGE } from './samples.js';
import { AT, World } from './world.js';

const READY = { imageName: IMAGE, iso: true };
const HOUR_MS = 3_601_000;
const failed = [{ name: 'build-iso', state: { terminated: { exitCode: 1, message: 'no' } } }];
const SUM = 'b'.repeat(64);

let world = new World();
beforeEach(() => {
  world = new World();
});

describe('what was put right', () => {
  test.each([
    ['a cloud-config', { cloudConfigRef: { name: 'in' } }, { 'cloud-config.yaml': 'a' }, { 'cloud-config.yaml': 'b' }],
    [
      'a pull secret',
      { imagePullSecrets: [{ name: 'in' }] },
      { '.dockerconfigjson': '{"auths":{}}' },
      { '.dockerconfigjson': '{"auths":{"a":{}}}' },
    ],
  ])('%s is picked up after a failure', async (_, spec, before, after) => {
    await world.secret('in', before);
    await world.begin({ ...READY, ...spec });
    const [first] = world.pods();
    await world.podSays('Failed', failed);
    await world.settle();
    expect(world.said()[0]).toBe('Error');
    await world.secret('in', after);
    await world.settle();
    expect(world.said()[0]).toBe('Building');
    expect(world.pods()[0]?.metadata.uid).not.toBe(first?.metadata.uid);
  });

  test('and broken anew is told, instead of the old failure', async () => {
    await world.secret('in', { Dockerfile: 'FROM x' });
    await world.begin({ baseImageDockerfile: { name: 'in' }, iso: true });
    await world.podSays('Failed', failed);
    await world.secret('in', { Dockerfile: 'FROM {{ if }}' });
    await world.settle();
    expect(world.said()[1]).toMatch(/^entry "Dockerfile" of Secret "in", line 1/);
    await world.kube.delete(SECRETS, { namespace: 'default', name: 'in' });
    await world.settle();
    expect(world.said()).toEqual(['Error', 'waiting for Secret "in"']);
    await world.secret('in', { Dockerfile: 'FROM y' });
    await world.settle();
    expect(world.said()[0]).toBe('Building');
  });

  test('an empty cloud-config is said at once', async () => {
    await world.secret('in', { 'cloud-config.yaml': '\n' });
    await world.begin({ ...READY, cloudConfigRef: { name: 'in' } });
    expect(world.said()).toEqual([
      'Error',
      'entry "cloud-config.yaml" of Secret "in" is empty: it must be a cloud-config',
    ]);
  });

  test('an older kind of pull secret is read, too', async () => {
    await world.secret('in', { '.dockercfg': '{"registry.example":{"auth":"x"}}' });
    await world.begin({ ...READY, imagePullSecrets: [{ name: 'in' }] });
    expect(world.said()[0]).toBe('Building');
  });
});

describe('a volume', () => {
  const nested = (volume: object) => ({
    image: { ref: IMAGE },
    artifacts: { iso: true, overlayISOVolume: 'files' },
    volumes: [{ name: 'files', ...volume }],
  });

  test.each([
    ['Secret', { secret: { secretName: 'files' } }],
    ['ConfigMap', { configMap: { name: 'files' } }],
  ])('of a %s that is not there is waited for by name', async (kind, volume) => {
    await world.begin(nested(volume));
    expect(world.said()).toEqual(['Pending', `waiting for ${kind} "files"`]);
    if (kind === 'Secret') await world.secret('files', { a: 'b' });
    else await world.kube.create(CONFIG_MAPS, { metadata: { name: 'files' } }, 'default');
    await world.settle();
    expect(world.said()[0]).toBe('Building');
  });

  test('that may be absent is not waited for', async () => {
    await world.begin(nested({ secret: { secretName: 'files', optional: true } }));
    expect(world.said()[0]).toBe('Building');
  });

  test('that is missing otherwise shows in a Pod that does not start', async () => {
    await world.begin(READY);
    await world.podSays('Pending', [{ name: 'build-iso', state: { waiting: { reason: 'PodInitializing' } } }]);
    await world.clock.advance(61_000);
    await world.settle();
    expect(world.said()[1]).toMatch(/^container build-iso has been starting since .*kubectl describe pod os-\w+ says/);
  });

  test('to build in that was made for another spec stays, and that is told', async () => {
    await world.begin({ ...READY, volume: { resources: { requests: { storage: '1Gi' } } } });
    await world.podSays('Succeeded', []);
    await world.change({ ...READY, cloudImage: true });
    expect(world.reasons()).not.toContain('ClaimKept');
    await world.podSays('Succeeded', []);
    await world.change({ ...READY, volume: { resources: { requests: { storage: '2Gi' } } } });
    expect(world.reasons()).toContain('ClaimKept');
    expect(world.claims()).toHaveLength(1);
    await world.kube.delete(VOLUME_CLAIMS, { namespace: 'default', name: 'os-artifacts' });
  });
});

describe('patience', () => {
  const since = (minutes: number) => new Date(world.clock.now().getTime() + minutes * 60_000).toISOString();

  test('counts from the end of the last step, not from the start of the Pod', async () => {
    await world.begin(READY);
    const waiting = { reason: 'ErrImagePull', message: 'away' };
    const containers = [
      { name: 'pull-image-baseimage', state: { terminated: { exitCode: 0, finishedAt: since(90) } } },
      { name: 'build-iso', image: 'x', state: { waiting } },
    ];
    await world.clock.advance(100 * 60_000);
    await world.podSays('Pending', containers, { startTime: since(-100) });
    expect(world.said()[0]).toBe('Building');
    await world.clock.advance(60 * 60_000);
    await world.settle();
    expect(world.said()[0]).toBe('Error');
  });
});

describe('patience with what is missing', () => {
  const LATE = { ...READY, cloudConfigRef: { name: 'late' } };

  test.each([
    ['after a long build of another spec', READY],
    ['after a wrong spec', { imageName: 'x' }],
    ['after another spec that lacked something', { ...READY, cloudConfigRef: { name: 'never' } }],
  ])('counts from when that was asked for, %s', async (_, before) => {
    await world.begin(before);
    await world.clock.advance(59 * 60_000);
    await world.settle();
    await world.change(LATE);
    await world.clock.advance(2 * 60_000);
    await world.settle();
    expect(world.said()).toEqual(['Pending', 'waiting for Secret "late"']);
    await world.clock.advance(HOUR_MS);
    await world.settle();
    expect(world.said()[0]).toBe('Error');
  });

  test('ends also where the API server will not have the Pod', async () => {
    const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'exceeded quota' };
    world.kube.refusals.set('create pods', { code: 403, body });
    await world.begin(READY);
    expect(world.said()[0]).toBe('Pending');
    await world.clock.advance(HOUR_MS);
    await world.settle();
    expect(world.said()[0]).toBe('Error');
  });

  test('is told where a Secret may not be read', async () => {
    const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'no right to secrets' };
    world.kube.refusals.set('get secrets', { code: 403, body });
    await world.begin(LATE);
    expect(world.said()[0]).toBe('Pending');
    expect(world.said()[1]).toContain('Secret "late" may not be read');
  });
});

describe('an end that was told', () => {
  test.each([
    ['a wrong spec', { imageName: 'x' }],
    ['a wrong input', { baseImageDockerfile: { name: 'in' }, iso: true }],
  ])('is not written again with every look, such as that of %s', async (_, spec) => {
    await world.secret('in', { Dockerfile: '{{ if }}' });
    await world.begin(spec);
    expect(world.said()[0]).toBe('Error');
    const { version } = world.kube.store;
    await world.clock.advance(7_000);
    await world.settle();
    expect(world.kube.store.version).toBe(version);
  });
});

describe('a namespace whose wishes are not obeyed', () => {
  const elsewhere = (): Parameters<typeof reconcileArtifact>[1] => ({ ...world.deps, allowedNamespaces: ['fleet'] });

  test('has nothing built, and is told so', async () => {
    await world.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: READY }, AT.namespace);
    await reconcileArtifact(AT, elsewhere());
    expect(world.said()[0]).toBe('Error');
    expect(world.said()[1]).toContain('obeys wishes in fleet only');
    expect(world.pods()).toEqual([]);
  });

  test('has nothing built anew', async () => {
    await world.begin(READY);
    await world.podSays('Succeeded', []);
    for (const pod of world.pods()) await world.kube.delete(PODS, pod.metadata);
    const metadata = { annotations: { 'operator.kairos.io/retry': '1' } };
    await world.kube.patch(OS_ARTIFACT, AT, { metadata });
    await reconcileArtifact(AT, elsewhere());
    expect([world.said()[0], world.pods()]).toEqual(['Ready', []]);
  });

  test('has a build that is under way go on', async () => {
    await world.begin(READY);
    await reconcileArtifact(AT, elsewhere());
    expect([world.said()[0], world.pods().length]).toEqual(['Building', 1]);
  });
});

describe('a spec that is wrong while it is built', () => {
  test('ends the builder Pod', async () => {
    await world.begin(READY);
    await world.change({ imageName: null });
    expect([world.said()[0], world.pods()]).toEqual(['Error', []]);
  });
});

describe('another generation that means the same build', () => {
  test.each(['Succeeded', 'Failed'])('is observed after it has %s', async phase => {
    await world.begin(READY);
    await world.podSays(phase, phase === 'Failed' ? failed : []);
    const before = world.status();
    await world.change(READY);
    expect(world.status()).toMatchObject({ phase: before?.phase, build: before?.build });
    expect(world.status()?.observedGeneration).toBe(world.artifact()?.metadata.generation);
  });
});

describe('on the way', () => {
  test('each step is told when it is done, and its files as soon as they are known', async () => {
    await world.begin(READY);
    const times = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:12Z' };
    const first = {
      name: 'one',
      state: { terminated: { exitCode: 0, message: `${SUM} ${22 * 2 ** 20} os.tar\n`, ...times } },
    };
    const second = { name: 'two', state: { running: { startedAt: times.finishedAt } } };
    await world.podSays('Pending', [first, second, { name: 'three', state: {} }]);
    expect(world.said()).toEqual(['Building', 'step 2 of 3, two, is running; so far os.tar (22 MiB)']);
    expect(world.status()).toMatchObject({
      progress: '1/3',
      outputs: [{ name: 'os.tar', size: 22 * 2 ** 20, sha256: SUM }],
    });
    await world.settle();
    expect(world.events.map(({ message }) => message)).toContain('step 1 of 3, one, is done after 12 s');
    expect(world.reasons()).toEqual(['Building', 'StepDone']);
  });
});
