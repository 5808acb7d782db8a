/** Nothing is waited for in silence, and nothing for ever. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { reconcileArtifact } from '../../../controller/artifact/controller.js';
import { CONFIG_MAPS, PODS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { IMAGE } from './samples.js';
import { AT, ArtifactSetup } from './setup.js';

const READY = { imageName: IMAGE, iso: true };
const HOUR_MS = 3_601_000;
const failed = [{ name: 'build-iso', state: { terminated: { exitCode: 1, message: 'no' } } }];
const SUM = 'b'.repeat(64);

let setup = new ArtifactSetup();
beforeEach(() => {
  setup = new ArtifactSetup();
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
    await setup.secret('in', before);
    await setup.create({ ...READY, ...spec });
    const [first] = setup.pods();
    await setup.setPodStatus('Failed', failed);
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Error');
    await setup.secret('in', after);
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
    expect(setup.pods()[0]?.metadata.uid).not.toBe(first?.metadata.uid);
  });

  test('and broken anew is told, instead of the old failure', async () => {
    await setup.secret('in', { Dockerfile: 'FROM x' });
    await setup.create({ baseImageDockerfile: { name: 'in' }, iso: true });
    await setup.setPodStatus('Failed', failed);
    await setup.secret('in', { Dockerfile: 'FROM {{ if }}' });
    await setup.settle();
    expect(setup.phaseAndMessage()[1]).toMatch(/^entry "Dockerfile" of Secret "in", line 1/);
    await setup.kube.delete(SECRETS, { namespace: 'default', name: 'in' });
    await setup.settle();
    expect(setup.phaseAndMessage()).toEqual(['Error', 'waiting for Secret "in"']);
    await setup.secret('in', { Dockerfile: 'FROM y' });
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('an empty cloud-config is said at once', async () => {
    await setup.secret('in', { 'cloud-config.yaml': '\n' });
    await setup.create({ ...READY, cloudConfigRef: { name: 'in' } });
    expect(setup.phaseAndMessage()).toEqual([
      'Error',
      'entry "cloud-config.yaml" of Secret "in" is empty: it must be a cloud-config',
    ]);
  });

  test('an older kind of pull secret is read, too', async () => {
    await setup.secret('in', { '.dockercfg': '{"registry.example":{"auth":"x"}}' });
    await setup.create({ ...READY, imagePullSecrets: [{ name: 'in' }] });
    expect(setup.phaseAndMessage()[0]).toBe('Building');
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
    await setup.create(nested(volume));
    expect(setup.phaseAndMessage()).toEqual(['Pending', `waiting for ${kind} "files"`]);
    if (kind === 'Secret') await setup.secret('files', { a: 'b' });
    else await setup.kube.create(CONFIG_MAPS, { metadata: { name: 'files' } }, 'default');
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('that may be absent is not waited for', async () => {
    await setup.create(nested({ secret: { secretName: 'files', optional: true } }));
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('that is missing otherwise shows in a Pod that does not start', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Pending', [{ name: 'build-iso', state: { waiting: { reason: 'PodInitializing' } } }]);
    await setup.clock.advance(61_000);
    await setup.settle();
    expect(setup.phaseAndMessage()[1]).toMatch(
      /^container build-iso has been starting since .*kubectl describe pod os-\w+ says/,
    );
  });

  test('to build in that was made for another spec stays, and that is told', async () => {
    await setup.create({ ...READY, volume: { resources: { requests: { storage: '1Gi' } } } });
    await setup.setPodStatus('Succeeded', []);
    await setup.change({ ...READY, cloudImage: true });
    expect(setup.reasons()).not.toContain('ClaimKept');
    await setup.setPodStatus('Succeeded', []);
    await setup.change({ ...READY, volume: { resources: { requests: { storage: '2Gi' } } } });
    expect(setup.reasons()).toContain('ClaimKept');
    expect(setup.claims()).toHaveLength(1);
    await setup.kube.delete(VOLUME_CLAIMS, { namespace: 'default', name: 'os-artifacts' });
  });
});

describe('patience', () => {
  const since = (minutes: number) => new Date(setup.clock.now().getTime() + minutes * 60_000).toISOString();

  test('counts from the end of the last step, not from the start of the Pod', async () => {
    await setup.create(READY);
    const waiting = { reason: 'ErrImagePull', message: 'away' };
    const containers = [
      { name: 'pull-image-baseimage', state: { terminated: { exitCode: 0, finishedAt: since(90) } } },
      { name: 'build-iso', image: 'x', state: { waiting } },
    ];
    await setup.clock.advance(100 * 60_000);
    await setup.setPodStatus('Pending', containers, { startTime: since(-100) });
    expect(setup.phaseAndMessage()[0]).toBe('Building');
    await setup.clock.advance(60 * 60_000);
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Error');
  });
});

describe('patience with what is missing', () => {
  const LATE = { ...READY, cloudConfigRef: { name: 'late' } };

  test.each([
    ['after a long build of another spec', READY],
    ['after a wrong spec', { imageName: 'x' }],
    ['after another spec that lacked something', { ...READY, cloudConfigRef: { name: 'never' } }],
  ])('counts from when that was asked for, %s', async (_, before) => {
    await setup.create(before);
    await setup.clock.advance(59 * 60_000);
    await setup.settle();
    await setup.change(LATE);
    await setup.clock.advance(2 * 60_000);
    await setup.settle();
    expect(setup.phaseAndMessage()).toEqual(['Pending', 'waiting for Secret "late"']);
    await setup.clock.advance(HOUR_MS);
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Error');
  });

  test('ends also where the API server will not have the Pod', async () => {
    const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'exceeded quota' };
    setup.kube.refusals.set('create pods', { code: 403, body });
    await setup.create(READY);
    expect(setup.phaseAndMessage()[0]).toBe('Pending');
    await setup.clock.advance(HOUR_MS);
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Error');
  });

  test('is told where a Secret may not be read', async () => {
    const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'no right to secrets' };
    setup.kube.refusals.set('get secrets', { code: 403, body });
    await setup.create(LATE);
    expect(setup.phaseAndMessage()[0]).toBe('Pending');
    expect(setup.phaseAndMessage()[1]).toContain('Secret "late" may not be read');
  });
});

describe('an end that was told', () => {
  test.each([
    ['a wrong spec', { imageName: 'x' }],
    ['a wrong input', { baseImageDockerfile: { name: 'in' }, iso: true }],
  ])('is not written again with every look, such as that of %s', async (_, spec) => {
    await setup.secret('in', { Dockerfile: '{{ if }}' });
    await setup.create(spec);
    expect(setup.phaseAndMessage()[0]).toBe('Error');
    const { version } = setup.kube.store;
    await setup.clock.advance(7_000);
    await setup.settle();
    expect(setup.kube.store.version).toBe(version);
  });
});

describe('a namespace whose wishes are not obeyed', () => {
  const elsewhere = (): Parameters<typeof reconcileArtifact>[1] => ({ ...setup.deps, allowedNamespaces: ['fleet'] });

  test('has nothing built, and is told so', async () => {
    await setup.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: READY }, AT.namespace);
    await reconcileArtifact(AT, elsewhere());
    expect(setup.phaseAndMessage()[0]).toBe('Error');
    expect(setup.phaseAndMessage()[1]).toContain('allowed namespaces fleet (ALLOWED_NAMESPACES)');
    expect(setup.pods()).toEqual([]);
  });

  test('has nothing built anew', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Succeeded', []);
    for (const pod of setup.pods()) await setup.kube.delete(PODS, pod.metadata);
    const metadata = { annotations: { 'operator.kairos.io/retry': '1' } };
    await setup.kube.patch(OS_ARTIFACT, AT, { metadata });
    await reconcileArtifact(AT, elsewhere());
    expect([setup.phaseAndMessage()[0], setup.pods()]).toEqual(['Ready', []]);
  });

  test('has a build that is under way go on', async () => {
    await setup.create(READY);
    await reconcileArtifact(AT, elsewhere());
    expect([setup.phaseAndMessage()[0], setup.pods().length]).toEqual(['Building', 1]);
  });
});

describe('a spec that is wrong while it is built', () => {
  test('ends the builder Pod', async () => {
    await setup.create(READY);
    await setup.change({ imageName: null });
    expect([setup.phaseAndMessage()[0], setup.pods()]).toEqual(['Error', []]);
  });
});

describe('another generation that means the same build', () => {
  test.each(['Succeeded', 'Failed'])('is observed after it has %s', async phase => {
    await setup.create(READY);
    await setup.setPodStatus(phase, phase === 'Failed' ? failed : []);
    const before = setup.status();
    await setup.change(READY);
    expect(setup.status()).toMatchObject({ phase: before?.phase, build: before?.build });
    expect(setup.status()?.observedGeneration).toBe(setup.artifact()?.metadata.generation);
  });
});

describe('on the way', () => {
  test('each step is told when it is done, and its files as soon as they are known', async () => {
    await setup.create(READY);
    const times = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:12Z' };
    const first = {
      name: 'one',
      state: { terminated: { exitCode: 0, message: `${SUM} ${22 * 2 ** 20} os.tar\n`, ...times } },
    };
    const second = { name: 'two', state: { running: { startedAt: times.finishedAt } } };
    await setup.setPodStatus('Pending', [first, second, { name: 'three', state: {} }]);
    expect(setup.phaseAndMessage()).toEqual(['Building', 'step 2 of 3, two, is running; so far os.tar (22 MiB)']);
    expect(setup.status()).toMatchObject({
      progress: '1/3',
      outputs: [{ name: 'os.tar', size: 22 * 2 ** 20, sha256: SUM }],
    });
    await setup.settle();
    expect(setup.events.map(({ message }) => message)).toContain('step 1 of 3, one, is done after 12 s');
    expect(setup.reasons()).toEqual(['Building', 'StepDone']);
  });
});
