/** Waiting is always reported, and always limited. */
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

describe('a corrected input', () => {
  test.each([
    ['a cloud-config', { cloudConfigRef: { name: 'in' } }, { 'cloud-config.yaml': 'a' }, { 'cloud-config.yaml': 'b' }],
    [
      'a pull secret',
      { imagePullSecrets: [{ name: 'in' }] },
      { '.dockerconfigjson': '{"auths":{}}' },
      { '.dockerconfigjson': '{"auths":{"a":{}}}' },
    ],
  ])('starts another build after a failure: %s', async (_, spec, before, after) => {
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

  test('is reported when it is broken again, instead of the earlier failure', async () => {
    await setup.secret('in', { Dockerfile: 'FROM x' });
    await setup.create({ baseImageDockerfile: { name: 'in' }, iso: true });
    await setup.setPodStatus('Failed', failed);
    await setup.secret('in', { Dockerfile: 'FROM {{ if }}' });
    await setup.settle();
    expect(setup.phaseAndMessage()[1]).toMatch(/^entry "Dockerfile" of Secret "in", line 1/);
    await setup.kube.delete(SECRETS, { namespace: 'default', name: 'in' });
    await setup.settle();
    /* The failed build is replaced by the one that could not be rendered. */
    expect(setup.phaseAndMessage()).toEqual(['Pending', 'waiting for Secret "in"']);
    await setup.secret('in', { Dockerfile: 'FROM y' });
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('must be a cloud-config that is not empty', async () => {
    await setup.secret('in', { 'cloud-config.yaml': '\n' });
    await setup.create({ ...READY, cloudConfigRef: { name: 'in' } });
    expect(setup.phaseAndMessage()).toEqual([
      'Error',
      'entry "cloud-config.yaml" of Secret "in" is empty: it must be a cloud-config',
    ]);
  });

  test.each([
    ['that does not exist', undefined, 'there is no Secret "in"; images are pulled without it'],
    ['without credentials', { other: 'x' }, 'Secret "in" has no entry ".dockerconfigjson"; it is not used'],
  ])('may be a pull secret %s: the build goes on, with a warning', async (_title, data, message) => {
    if (data) await setup.secret('in', data);
    await setup.create({ ...READY, imagePullSecrets: [{ name: 'in' }] });
    expect(setup.phaseAndMessage()[0]).toBe('Building');
    const [warning] = setup.events.filter(({ reason }) => reason === 'InputIgnored');
    expect(warning).toMatchObject({ type: 'Warning', message: `imagePullSecrets: ${message}` });
  });

  test('may be a pull secret in the legacy format', async () => {
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
  ])('is reported by name while its %s is missing, and used once that exists', async (kind, volume) => {
    await setup.create(nested(volume));
    expect(setup.phaseAndMessage()).toEqual(['Pending', `waiting for ${kind} "files"`]);
    if (kind === 'Secret') await setup.secret('files', { a: 'b' });
    else await setup.kube.create(CONFIG_MAPS, { metadata: { name: 'files' } }, 'default');
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('is not waited for when its source is optional', async () => {
    await setup.create(nested({ secret: { secretName: 'files', optional: true } }));
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('is suspected when the Pod does not start', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Pending', [{ name: 'build-iso', state: { waiting: { reason: 'PodInitializing' } } }]);
    await setup.clock.advance(61_000);
    await setup.settle();
    expect(setup.phaseAndMessage()[1]).toMatch(
      /^container build-iso has been starting since .*kubectl describe pod os-\w+ says/,
    );
  });

  test('claim is kept, and reported, when it was created for another spec', async () => {
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

describe('the time limit for a blocked builder Pod', () => {
  test.each([
    ['agrees', 0],
    ['is five minutes ahead', 300],
    ['is five minutes behind', -300],
    ['is a day ahead', 86_400],
    ['is a day behind', -86_400],
  ])('starts when the end of the last step was seen, while the clock of the node %s', async (_how, offset) => {
    await setup.create(READY);
    const waiting = { reason: 'ErrImagePull', message: 'away' };
    await setup.clock.advance(100 * 60_000);
    const finishedAt = new Date(setup.clock.now().getTime() + offset * 1000).toISOString();
    await setup.setPodStatus('Pending', [
      { name: 'pull-image-baseimage', state: { terminated: { exitCode: 0, finishedAt } } },
      { name: 'build-iso', image: 'x', state: { waiting } },
    ]);
    await setup.clock.advance(59 * 60_000);
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
    await setup.clock.advance(60_000);
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Error');
  });

  test('is not prolonged by passes that see nothing new', async () => {
    await setup.create(READY);
    const before = setup.status()?.lastProgress;
    await setup.clock.advance(30 * 60_000);
    await setup.setPodStatus('Pending', [
      { name: 'build-iso', image: 'x', state: { waiting: { reason: 'ErrImagePull', message: 'away' } } },
    ]);
    expect(setup.status()?.lastProgress).toEqual(before);
  });
});

describe('the time limit for a missing input', () => {
  const LATE = { ...READY, cloudConfigRef: { name: 'late' } };

  test.each([
    ['after a long build of another spec', READY],
    ['after a wrong spec', { imageName: 'x' }],
    ['after another spec with a missing input', { ...READY, cloudConfigRef: { name: 'never' } }],
  ])('starts when the input is first requested, %s', async (_, before) => {
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

  test('applies to a Pod that the API server refuses', async () => {
    const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'exceeded quota' };
    setup.kube.refusals.set('create pods', { code: 403, body });
    await setup.create(READY);
    expect(setup.phaseAndMessage()[0]).toBe('Pending');
    await setup.clock.advance(HOUR_MS);
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Error');
  });

  test('applies to a Secret that may not be read', async () => {
    const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'no right to secrets' };
    setup.kube.refusals.set('get secrets', { code: 403, body });
    await setup.create(LATE);
    expect(setup.phaseAndMessage()[0]).toBe('Pending');
    expect(setup.phaseAndMessage()[1]).toContain('Secret "late" may not be read');
  });
});

describe('the status of a failed OSArtifact', () => {
  test.each([
    ['a wrong spec', { imageName: 'x' }],
    ['a wrong input', { baseImageDockerfile: { name: 'in' }, iso: true }],
  ])('is not written again by every pass, after %s', async (_, spec) => {
    await setup.secret('in', { Dockerfile: '{{ if }}' });
    await setup.create(spec);
    expect(setup.phaseAndMessage()[0]).toBe('Error');
    const { version } = setup.kube.store;
    await setup.clock.advance(7_000);
    await setup.settle();
    expect(setup.kube.store.version).toBe(version);
  });
});

describe('a namespace that is not allowed', () => {
  const restricted = (): Parameters<typeof reconcileArtifact>[1] => ({ ...setup.deps, allowedNamespaces: ['fleet'] });

  test('gets an error, and nothing is built', async () => {
    await setup.kube.create(OS_ARTIFACT, { metadata: { name: AT.name }, spec: READY }, AT.namespace);
    await reconcileArtifact(AT, restricted());
    expect(setup.phaseAndMessage()[0]).toBe('Error');
    expect(setup.phaseAndMessage()[1]).toContain('allowed namespaces fleet (ALLOWED_NAMESPACES)');
    expect(setup.pods()).toEqual([]);
  });

  test('has no finished build started again', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Succeeded', []);
    for (const pod of setup.pods()) await setup.kube.delete(PODS, pod.metadata);
    const metadata = { annotations: { 'operator.kairos.io/retry': '1' } };
    await setup.kube.patch(OS_ARTIFACT, AT, { metadata });
    await reconcileArtifact(AT, restricted());
    expect([setup.phaseAndMessage()[0], setup.pods()]).toEqual(['Ready', []]);
  });

  test('keeps a running build', async () => {
    await setup.create(READY);
    await reconcileArtifact(AT, restricted());
    expect([setup.phaseAndMessage()[0], setup.pods().length]).toEqual(['Building', 1]);
  });
});

describe('a spec that becomes invalid during the build', () => {
  test('deletes the builder Pod', async () => {
    await setup.create(READY);
    await setup.change({ imageName: null });
    expect([setup.phaseAndMessage()[0], setup.pods()]).toEqual(['Error', []]);
  });
});

describe('another generation of the same build', () => {
  test.each(['Succeeded', 'Failed'])('is recorded as observed after the Pod has %s', async phase => {
    await setup.create(READY);
    await setup.setPodStatus(phase, phase === 'Failed' ? failed : []);
    const before = setup.status();
    await setup.change(READY);
    expect(setup.status()).toMatchObject({ phase: before?.phase, build: before?.build });
    expect(setup.status()?.observedGeneration).toBe(setup.artifact()?.metadata.generation);
  });
});

describe('a running build', () => {
  test('reports each completed step and its files', async () => {
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
