/** OSArtifacts from creation to their final phase, with a cluster in memory. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { reconcileArtifact } from '../../../controller/artifact/controller.js';
import { JOBS, PODS, SECRETS, VOLUME_CLAIMS } from '../../../kube/resources.js';
import { DOCUMENTED, IMAGE } from './samples.js';
import { AT, ArtifactSetup } from './setup.js';

const READY = { imageName: IMAGE, iso: true };
const WITH_EXPORTER = DOCUMENTED['iso-and-exporter'] ?? {};
const DOCKERFILE = { baseImageDockerfile: { name: 'def' }, iso: true };

const SUM = 'a'.repeat(64);
const listed = {
  name: 'list-artifacts',
  state: { terminated: { exitCode: 0, message: `${SUM} 22 os.iso\n${SUM} 7 os.tar\n` } },
};
const failed = (name: string, message: string) => ({ name, state: { terminated: { exitCode: 1, message } } });

let setup = new ArtifactSetup();
beforeEach(() => {
  setup = new ArtifactSetup();
});

describe('a build', () => {
  test('passes through its phases and reports names, sizes and checksums of the files', async () => {
    await setup.create(WITH_EXPORTER);
    expect(setup.phaseAndMessage()).toEqual(['Building', 'the builder Pod is about to start']);
    expect(setup.claims().map(({ metadata }) => metadata.name)).toEqual(['os-artifacts']);
    await setup.setPodStatus('Running', [
      { name: 'build-iso', state: { running: { startedAt: '2026-01-01T00:00:00Z' } } },
    ]);
    expect(setup.phaseAndMessage()).toEqual(['Building', 'step 1 of 1, build-iso, is running']);
    expect(setup.status()?.steps).toEqual([{ name: 'build-iso', state: 'Running', startedAt: '2026-01-01T00:00:00Z' }]);
    await setup.setPodStatus('Succeeded', [listed]);
    expect(setup.phaseAndMessage()).toEqual(['Exporting', '0 of 1 exporters are done']);
    expect(setup.jobs()).toEqual(['os-export-0']);
    await setup.setJobCondition('os-export-0', 'Complete');
    expect(setup.phaseAndMessage()).toEqual(['Ready', 'built: os.iso, os.tar']);
    expect(setup.status()?.outputs?.[0]).toEqual({ name: 'os.iso', size: 22, sha256: SUM });
    expect(setup.status()?.completedAt).toBeDefined();
    expect(setup.reasons()).toEqual(['Building', 'VolumeReplaced', 'StepDone', 'Exporting', 'Built']);
    expect(setup.status()).toMatchObject({ progress: '1/1', exports: [{ job: 'os-export-0', state: 'Done' }] });
  });

  test('does not run again when its Pod and Jobs are deleted', async () => {
    await setup.create(WITH_EXPORTER);
    await setup.setPodStatus('Succeeded', [listed]);
    await setup.setJobCondition('os-export-0', 'Complete');
    for (const pod of setup.pods()) await setup.kube.delete(PODS, pod.metadata);
    await setup.kube.delete(JOBS, { namespace: 'default', name: 'os-export-0' });
    await setup.settle();
    expect([setup.phaseAndMessage()[0], setup.pods(), setup.jobs()]).toEqual(['Ready', [], []]);
  });

  test('continues to export when its Pod is deleted', async () => {
    await setup.create(WITH_EXPORTER);
    await setup.setPodStatus('Succeeded', [listed]);
    for (const pod of setup.pods()) await setup.kube.delete(PODS, pod.metadata);
    await setup.settle();
    expect([setup.phaseAndMessage()[0], setup.pods()]).toEqual(['Exporting', []]);
    await setup.setJobCondition('os-export-0', 'Complete');
    expect(setup.phaseAndMessage()).toEqual(['Ready', 'built: os.iso, os.tar']);
  });

  test('starts again when its Pod is deleted', async () => {
    await setup.create(READY);
    const [first] = setup.pods();
    if (first) await setup.kube.delete(PODS, first.metadata);
    await setup.settle();
    expect(setup.pods()).toHaveLength(1);
    expect(setup.pods()[0]?.metadata.uid).not.toBe(first?.metadata.uid);
  });

  test('reports the failed step with the end of its log', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Failed', [failed('build-iso', 'xorriso: no space left')]);
    expect(setup.phaseAndMessage()).toEqual([
      'Error',
      'step build-iso failed with exit code 1: xorriso: no space left',
    ]);
    await setup.settle();
    expect(setup.pods()).toHaveLength(1);
    expect(setup.reasons()).toEqual(['Building', 'BuildFailed']);
  });

  test('fails when an exporter fails', async () => {
    await setup.create(WITH_EXPORTER);
    await setup.setPodStatus('Succeeded', [listed]);
    await setup.setJobCondition('os-export-0', 'Failed', 'Job has reached the specified backoff limit');
    expect(setup.phaseAndMessage()).toEqual([
      'Error',
      'export job os-export-0 failed: Job has reached the specified backoff limit',
    ]);
  });

  test('reports an image that cannot be pulled, and fails after an hour', async () => {
    await setup.create(READY);
    const waiting = { reason: 'ImagePullBackOff', message: 'not found' };
    await setup.setPodStatus('Pending', [{ name: 'build-iso', image: 'tool:1', state: { waiting } }]);
    const message = 'image "tool:1" of container build-iso cannot be started: not found';
    expect(setup.phaseAndMessage()).toEqual(['Building', message]);
    await setup.clock.advance(3_601_000);
    await setup.settle();
    expect(setup.phaseAndMessage()).toEqual(['Error', message]);
    expect(setup.pods()).toEqual([]);
  });
});

describe('a changed spec', () => {
  test('starts another build after the objects of the earlier one are deleted', async () => {
    await setup.create(WITH_EXPORTER);
    await setup.setPodStatus('Succeeded', [listed]);
    await setup.setJobCondition('os-export-0', 'Complete');
    const [before] = setup.pods();
    await setup.change({ cloudImage: true });
    expect(setup.phaseAndMessage()[0]).toBe('Building');
    expect(setup.pods().map(({ metadata }) => metadata.name)).not.toContain(before?.metadata.name);
    expect(setup.jobs()).toEqual([]);
    expect(setup.status()?.outputs).toBeUndefined();
  });

  test('starts another build at once after a failure', async () => {
    await setup.create(READY);
    await setup.setPodStatus('Failed', [failed('build-iso', 'x')]);
    await setup.change({ diskSize: '10G' });
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('updates the ConfigMap', async () => {
    await setup.create({ ...READY, grubConfig: 'one' });
    expect(setup.configMap()?.data).toEqual({ 'grub.cfg': 'one' });
    await setup.change({ grubConfig: 'two' });
    expect(setup.configMap()?.data).toEqual({ 'grub.cfg': 'two' });
  });

  test('builds nothing and reports the fault when it is invalid', async () => {
    await setup.create({ imageName: 'x' });
    expect(setup.phaseAndMessage()[0]).toBe('Error');
    expect(setup.phaseAndMessage()[1]).toMatch(/^spec\.iso: at least one of/);
    expect(setup.pods()).toEqual([]);
  });
});

describe('an input of a build', () => {
  test('is reported by name while it is missing, and used once it exists', async () => {
    await setup.create(DOCKERFILE);
    expect(setup.phaseAndMessage()).toEqual(['Pending', 'waiting for Secret "def"']);
    await setup.secret('def', { Other: 'FROM x' });
    await setup.settle();
    expect(setup.phaseAndMessage()).toEqual(['Pending', 'waiting for an entry "Dockerfile" in Secret "def"']);
    await setup.secret('def', { Dockerfile: 'FROM x' });
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
    expect(setup.reasons()).toEqual(['InputMissing', 'InputMissing', 'Building']);
  });

  test('causes an error when it is missing for an hour, and is still used once it exists', async () => {
    await setup.create(DOCKERFILE);
    await setup.clock.advance(3_600_000);
    await reconcileArtifact(AT, setup.deps);
    expect(setup.phaseAndMessage()).toEqual(['Error', 'waiting for Secret "def"']);
    await setup.secret('def', { Dockerfile: 'FROM x' });
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('is reported with the position of a fault in its template, and used once it is corrected', async () => {
    await setup.secret('def', { Dockerfile: 'FROM {{ .A }}\nRUN {{ template "x" }}' });
    await setup.create(DOCKERFILE);
    const message =
      'entry "Dockerfile" of Secret "def", line 2, column 8: "define", "template" and "block" are not allowed here';
    expect(setup.phaseAndMessage()).toEqual(['Error', message]);
    await setup.secret('def', { Dockerfile: 'FROM {{ .A }}' });
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('starts a new build when it changes after a failure, and does not disturb a running build', async () => {
    await setup.secret('def', { Dockerfile: 'FROM one' });
    await setup.create(DOCKERFILE);
    const [first] = setup.pods();
    await setup.secret('def', { Dockerfile: 'FROM two' });
    await setup.settle();
    expect(setup.pods()[0]?.metadata.uid).toBe(first?.metadata.uid);
    await setup.setPodStatus('Failed', [failed('buildah-build', 'x')]);
    await setup.settle();
    expect(setup.pods()[0]?.metadata.uid).not.toBe(first?.metadata.uid);
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('may have template values, of which those in the spec take precedence over those in a Secret', async () => {
    await setup.secret('def', { Dockerfile: '{{ .A }}{{ .B }}{{ .C }}' });
    await setup.secret('values', { A: '1', B: '1' });
    const values = { dockerfileTemplateValuesFrom: { name: 'values' }, dockerfileTemplateValues: { B: '2' } };
    await setup.create({ ...DOCKERFILE, ...values });
    const rendered = await setup.kube.get<never>(SECRETS, { namespace: 'default', name: 'os-rendered-ocispec' });
    expect(rendered).toMatchObject({ data: { ociSpec: Buffer.from('12').toString('base64') } });
  });

  test('may be several pull secrets, whose credentials are merged', async () => {
    await setup.secret('one', { '.dockerconfigjson': '{"auths":{"a":{"auth":"1"}}}' });
    await setup.secret('two', { '.dockerconfigjson': '{"auths":{"a":{"auth":"2"},"b":{"auth":"2"}}}' });
    await setup.create({ ...READY, imagePullSecrets: [{ name: 'one' }, { name: 'two' }] });
    const { data } = await setup.kube.get<never>(SECRETS, { namespace: 'default', name: 'os-rendered-ocispec' });
    const text = Buffer.from(data['config.json'], 'base64').toString();
    expect(JSON.parse(text)).toEqual({ auths: { a: { auth: '1' }, b: { auth: '2' } } });
  });

  test('is never quoted when it should be credentials and is not JSON', async () => {
    await setup.secret('one', { '.dockerconfigjson': 'hunter2' });
    await setup.create({ ...READY, imagePullSecrets: [{ name: 'one' }] });
    expect(setup.phaseAndMessage()).toEqual([
      'Error',
      'Secret "one" has no valid registry credentials: the text is not JSON, or has more than 20000 values',
    ]);
  });
});

describe('an object name', () => {
  test('may be used in two namespaces', async () => {
    await setup.create(READY);
    await setup.create(READY, { namespace: 'other', name: 'os' });
    const [one, two] = setup.pods();
    expect([one?.metadata.namespace, two?.metadata.namespace]).toEqual(['default', 'other']);
    await setup.setPodStatus('Failed', [failed('build-iso', 'x')]);
    expect(setup.deps.artifacts.get({ namespace: 'other', name: 'os' })?.status?.phase).toBe('Building');
  });

  test('is waited for while an object of a deleted OSArtifact has it', async () => {
    const owner = {
      apiVersion: 'build.kairos.io/v1alpha2',
      kind: 'OSArtifact',
      name: 'os',
      uid: 'earlier',
      controller: true,
    };
    const body = { metadata: { name: 'os-artifacts', ownerReferences: [owner] } };
    await setup.kube.create(VOLUME_CLAIMS, body, 'default');
    await setup.create(READY);
    expect(setup.phaseAndMessage()).toEqual([
      'Pending',
      'waiting for the PersistentVolumeClaim "os-artifacts" of an earlier object to be deleted',
    ]);
    await setup.kube.delete(VOLUME_CLAIMS, { namespace: 'default', name: 'os-artifacts' });
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });

  test('is reported, and the object kept, when an object of another owner has it', async () => {
    await setup.kube.create(VOLUME_CLAIMS, { metadata: { name: 'os-artifacts' } }, 'default');
    await setup.create(READY);
    expect(setup.phaseAndMessage()).toEqual([
      'Pending',
      'a PersistentVolumeClaim named "os-artifacts" exists and does not belong to this object',
    ]);
    expect(setup.pods()).toEqual([]);
  });
});

describe('a refusal by the API server', () => {
  test('is reported once with its message, and the request is repeated', async () => {
    const body = { code: 403, status: 'Failure', reason: 'Forbidden', message: 'exceeded quota' };
    setup.kube.refusals.set('create pods', { code: 403, body });
    await setup.create(READY);
    expect(setup.phaseAndMessage()[0]).toBe('Pending');
    expect(setup.phaseAndMessage()[1]).toContain('exceeded quota');
    await setup.settle();
    expect(setup.reasons()).toEqual(['Refused']);
    setup.kube.refusals.clear();
    await reconcileArtifact(AT, setup.deps);
    await setup.settle();
    expect(setup.phaseAndMessage()[0]).toBe('Building');
  });
});
