/** OSArtifacts from beginning to end, against a cluster in memory. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { reconcileArtifact } from '../../../controller/artifact/controller.js';
import { JOBS, PODS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { DOCUMENTED, IMAGE } from './samples.js';
import { AT, World } from './world.js';

const READY = { imageName: IMAGE, iso: true };
const WITH_EXPORTER = DOCUMENTED['iso-and-exporter'] ?? {};
const DOCKERFILE = { baseImageDockerfile: { name: 'def' }, iso: true };

const SUM = 'a'.repeat(64);
const listed = {
  name: 'list-artifacts',
  state: { terminated: { exitCode: 0, message: `${SUM} 22 os.iso\n${SUM} 7 os.tar\n` } },
};
const failed = (name: string, message: string) => ({ name, state: { terminated: { exitCode: 1, message } } });

let world = new World();
beforeEach(() => {
  world = new World();
});

describe('a build', () => {
  test('goes through its phases, and ends with names, sizes and checksums', async () => {
    await world.begin(WITH_EXPORTER);
    expect(world.said()).toEqual(['Building', 'the builder Pod is about to start']);
    expect(world.claims().map(({ metadata }) => metadata.name)).toEqual(['os-artifacts']);
    await world.podSays('Running', [{ name: 'build-iso', state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }]);
    expect(world.said()).toEqual(['Building', 'step 1 of 1, build-iso, is running']);
    expect(world.status()?.steps).toEqual([{ name: 'build-iso', state: 'Running', startedAt: '2026-01-01T00:00:00Z' }]);
    await world.podSays('Succeeded', [listed]);
    expect(world.said()).toEqual(['Exporting', '0 of 1 exporters are done']);
    expect(world.jobs()).toEqual(['os-export-0']);
    await world.jobSays('os-export-0', 'Complete');
    expect(world.said()).toEqual(['Ready', 'built: os.iso, os.tar']);
    expect(world.status()?.outputs?.[0]).toEqual({ name: 'os.iso', size: 22, sha256: SUM });
    expect(world.status()?.completedAt).toBeDefined();
    expect(world.reasons()).toEqual(['Building', 'VolumeReplaced', 'StepDone', 'Exporting', 'Built']);
    expect(world.status()).toMatchObject({ progress: '1/1', exports: [{ job: 'os-export-0', state: 'Done' }] });
  });

  test('is not done again when its Pod and Jobs are cleaned up', async () => {
    await world.begin(WITH_EXPORTER);
    await world.podSays('Succeeded', [listed]);
    await world.jobSays('os-export-0', 'Complete');
    for (const pod of world.pods()) await world.kube.delete(PODS, pod.metadata);
    await world.kube.delete(JOBS, { namespace: 'default', name: 'os-export-0' });
    await world.settle();
    expect([world.said()[0], world.pods(), world.jobs()]).toEqual(['Ready', [], []]);
  });

  test('goes on exporting when its Pod is deleted meanwhile', async () => {
    await world.begin(WITH_EXPORTER);
    await world.podSays('Succeeded', [listed]);
    for (const pod of world.pods()) await world.kube.delete(PODS, pod.metadata);
    await world.settle();
    expect([world.said()[0], world.pods()]).toEqual(['Exporting', []]);
    await world.jobSays('os-export-0', 'Complete');
    expect(world.said()).toEqual(['Ready', 'built: os.iso, os.tar']);
  });

  test('whose Pod is deleted is done again', async () => {
    await world.begin(READY);
    const [first] = world.pods();
    if (first) await world.kube.delete(PODS, first.metadata);
    await world.settle();
    expect(world.pods()).toHaveLength(1);
    expect(world.pods()[0]?.metadata.uid).not.toBe(first?.metadata.uid);
  });

  test('that fails says which step, and the end of its log', async () => {
    await world.begin(READY);
    await world.podSays('Failed', [failed('build-iso', 'xorriso: no space left')]);
    expect(world.said()).toEqual(['Error', 'step build-iso failed with exit code 1: xorriso: no space left']);
    await world.settle();
    expect(world.pods()).toHaveLength(1);
    expect(world.reasons()).toEqual(['Building', 'BuildFailed']);
  });

  test('ends as failed when an exporter fails', async () => {
    await world.begin(WITH_EXPORTER);
    await world.podSays('Succeeded', [listed]);
    await world.jobSays('os-export-0', 'Failed', 'Job has reached the specified backoff limit');
    expect(world.said()).toEqual([
      'Error',
      'export job os-export-0 failed: Job has reached the specified backoff limit',
    ]);
  });

  test('says what the kubelet says of an image, and gives up in the end', async () => {
    await world.begin(READY);
    const waiting = { reason: 'ImagePullBackOff', message: 'not found' };
    await world.podSays('Pending', [{ name: 'build-iso', image: 'tool:1', state: { waiting } }]);
    const words = 'image "tool:1" of container build-iso cannot be started: not found';
    expect(world.said()).toEqual(['Building', words]);
    await world.clock.advance(3_601_000);
    await world.settle();
    expect(world.said()).toEqual(['Error', words]);
    expect(world.pods()).toEqual([]);
  });
});

describe('another spec', () => {
  test('is another build: the earlier one goes first', async () => {
    await world.begin(WITH_EXPORTER);
    await world.podSays('Succeeded', [listed]);
    await world.jobSays('os-export-0', 'Complete');
    const [before] = world.pods();
    await world.change({ cloudImage: true });
    expect(world.said()[0]).toBe('Building');
    expect(world.pods().map(({ metadata }) => metadata.name)).not.toContain(before?.metadata.name);
    expect(world.jobs()).toEqual([]);
    expect(world.status()?.outputs).toBeUndefined();
  });

  test('after a failure begins at once', async () => {
    await world.begin(READY);
    await world.podSays('Failed', [failed('build-iso', 'x')]);
    await world.change({ diskSize: '10G' });
    expect(world.said()[0]).toBe('Building');
  });

  test('brings its configuration with it', async () => {
    await world.begin({ ...READY, grubConfig: 'one' });
    expect(world.configMap()?.data).toEqual({ 'grub.cfg': 'one' });
    await world.change({ grubConfig: 'two' });
    expect(world.configMap()?.data).toEqual({ 'grub.cfg': 'two' });
  });

  test('that is wrong is said in words, and nothing is built', async () => {
    await world.begin({ imageName: 'x' });
    expect(world.said()[0]).toBe('Error');
    expect(world.said()[1]).toMatch(/^spec\.iso: at least one of/);
    expect(world.pods()).toEqual([]);
  });
});

describe('what the build is made of', () => {
  test('is waited for, by name, and picked up when it appears', async () => {
    await world.begin(DOCKERFILE);
    expect(world.said()).toEqual(['Pending', 'waiting for Secret "def"']);
    await world.secret('def', { Other: 'FROM x' });
    await world.settle();
    expect(world.said()).toEqual(['Pending', 'waiting for an entry "Dockerfile" in Secret "def": it has "Other"']);
    await world.secret('def', { Dockerfile: 'FROM x' });
    await world.settle();
    expect(world.said()[0]).toBe('Building');
    expect(world.reasons()).toEqual(['InputMissing', 'InputMissing', 'Building']);
  });

  test('and is an error after an hour, that mends itself all the same', async () => {
    await world.begin(DOCKERFILE);
    await world.clock.advance(3_600_000);
    await reconcileArtifact(AT, world.deps);
    expect(world.said()).toEqual(['Error', 'waiting for Secret "def"']);
    await world.secret('def', { Dockerfile: 'FROM x' });
    await world.settle();
    expect(world.said()[0]).toBe('Building');
  });

  test('says what is wrong with a template, and where; put right, it is built', async () => {
    await world.secret('def', { Dockerfile: 'FROM {{ .A }}\nRUN {{ template "x" }}' });
    await world.begin(DOCKERFILE);
    const place = 'entry "Dockerfile" of Secret "def", line 2, column 8: "template" is not allowed here';
    expect(world.said()).toEqual(['Error', place]);
    await world.secret('def', { Dockerfile: 'FROM {{ .A }}' });
    await world.settle();
    expect(world.said()[0]).toBe('Building');
  });

  test('is a new build when it changes after a failure, and no reason to disturb one that runs', async () => {
    await world.secret('def', { Dockerfile: 'FROM one' });
    await world.begin(DOCKERFILE);
    const [first] = world.pods();
    await world.secret('def', { Dockerfile: 'FROM two' });
    await world.settle();
    expect(world.pods()[0]?.metadata.uid).toBe(first?.metadata.uid);
    await world.podSays('Failed', [failed('buildah-build', 'x')]);
    await world.settle();
    expect(world.pods()[0]?.metadata.uid).not.toBe(first?.metadata.uid);
    expect(world.said()[0]).toBe('Building');
  });

  test('renders values, those of the object over those of a Secret', async () => {
    await world.secret('def', { Dockerfile: '{{ .A }}{{ .B }}{{ .C }}' });
    await world.secret('values', { A: '1', B: '1' });
    const values = { dockerfileTemplateValuesFrom: { name: 'values' }, dockerfileTemplateValues: { B: '2' } };
    await world.begin({ ...DOCKERFILE, ...values });
    const rendered = await world.kube.get<never>(SECRETS, { namespace: 'default', name: 'os-rendered-ocispec' });
    expect(rendered).toMatchObject({ data: { ociSpec: Buffer.from('12').toString('base64') } });
  });

  test('brings credentials together', async () => {
    await world.secret('one', { '.dockerconfigjson': '{"auths":{"a":{"auth":"1"}}}' });
    await world.secret('two', { '.dockerconfigjson': '{"auths":{"a":{"auth":"2"},"b":{"auth":"2"}}}' });
    await world.begin({ ...READY, imagePullSecrets: [{ name: 'one' }, { name: 'two' }] });
    const { data } = await world.kube.get<never>(SECRETS, { namespace: 'default', name: 'os-rendered-ocispec' });
    const text = Buffer.from(data['config.json'], 'base64').toString();
    expect(JSON.parse(text)).toEqual({ auths: { a: { auth: '1' }, b: { auth: '2' } } });
  });

  test('never has its own words told when they are no JSON', async () => {
    await world.secret('one', { '.dockerconfigjson': 'hunter2' });
    await world.begin({ ...READY, imagePullSecrets: [{ name: 'one' }] });
    expect(world.said()).toEqual([
      'Error',
      'Secret "one" does not hold credentials for registries: its text is not JSON',
    ]);
  });
});

describe('names', () => {
  test('the same in two namespaces do not meet', async () => {
    await world.begin(READY);
    await world.begin(READY, { namespace: 'other', name: 'os' });
    const [one, two] = world.pods();
    expect([one?.metadata.namespace, two?.metadata.namespace]).toEqual(['default', 'other']);
    await world.podSays('Failed', [failed('build-iso', 'x')]);
    expect(world.deps.artifacts.get({ namespace: 'other', name: 'os' })?.status?.phase).toBe('Building');
  });

  test('of an earlier object are waited for', async () => {
    const owner = {
      apiVersion: 'build.kairos.io/v1alpha2',
      kind: 'OSArtifact',
      name: 'os',
      uid: 'earlier',
      controller: true,
    };
    const body = { metadata: { name: 'os-artifacts', ownerReferences: [owner] } };
    await world.kube.create(VOLUME_CLAIMS, body, 'default');
    await world.begin(READY);
    expect(world.said()).toEqual([
      'Pending',
      'waiting for the PersistentVolumeClaim "os-artifacts" of an earlier object to be gone',
    ]);
    await world.kube.delete(VOLUME_CLAIMS, { namespace: 'default', name: 'os-artifacts' });
    await world.settle();
    expect(world.said()[0]).toBe('Building');
  });

  test("of somebody else's are left alone", async () => {
    await world.kube.create(VOLUME_CLAIMS, { metadata: { name: 'os-artifacts' } }, 'default');
    await world.begin(READY);
    expect(world.said()).toEqual([
      'Pending',
      'a PersistentVolumeClaim named "os-artifacts" exists and was not made for this object',
    ]);
    expect(world.pods()).toEqual([]);
  });
});

describe('what the API server is against', () => {
  test('is said in its words, once, and asked again', async () => {
    const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'exceeded quota' };
    world.kube.refusals.set('create pods', { code: 403, body });
    await world.begin(READY);
    expect(world.said()[0]).toBe('Pending');
    expect(world.said()[1]).toContain('exceeded quota');
    await world.settle();
    expect(world.reasons()).toEqual(['Refused']);
    world.kube.refusals.clear();
    await reconcileArtifact(AT, world.deps);
    await world.settle();
    expect(world.said()[0]).toBe('Building');
  });
});
