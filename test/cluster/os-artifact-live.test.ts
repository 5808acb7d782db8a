/** OSArtifacts on a real API server: the controller runs with the permissions of its ServiceAccount, and the API server accepts every object that it creates. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OS_ARTIFACT } from '../../api/kinds.js';
import { runControllers } from '../../controller/controllers.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import { realClock } from '../../program/clock.js';
import { silentLog } from '../../program/log.js';
import { DOCUMENTED, NESTED_ALL, TOOLS } from '../controller/artifact/samples.js';
import { ControlPlane } from './control-plane.js';
import { OPERATOR_NAMESPACE } from './install.js';
import type { Json } from './kubectl.js';
import { repository } from './paths.js';
import { waitFor } from './wait.js';

jest.setTimeout(900_000); // the programs may have to be compiled first

let plane: ControlPlane;
let kube: KubeClient;
const leading = new AbortController();
let running: Promise<void>;

const secret = (name: string, stringData: Record<string, string>, type?: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  stringData,
  type,
});
const registry = (name: string) =>
  secret(name, { '.dockerconfigjson': '{"auths":{}}' }, 'kubernetes.io/dockerconfigjson');

/** The Secrets that the examples use. */
const SECRETS = [
  secret('my-dockerfile', { Dockerfile: 'FROM {{ .BaseImage }}\n' }),
  secret('dockerfile-values', { Version: '1.0.0' }),
  secret('cloud-config-secret', { 'cloud-config.yaml': '#cloud-config\n' }),
  secret('my-part', { part: 'RUN echo {{ .Version }}\n' }),
  secret('more-values', { Version: '1', version: '2', one: '3' }),
  secret('cloud', { 'user-data': '#cloud-config\n' }),
  registry('private-registry-secret'),
  registry('pull-one'),
  secret('registry-login', { config: '{"auths":{}}' }),
  secret('my-dockerfile-secret', { Dockerfile: 'FROM scratch\n' }),
  ...['context', 'authorities', 'media-files', 'root-files', 'keys'].map(name => secret(name, { some: 'file' })),
];

const artifact = (name: string, spec: object) => ({
  apiVersion: `${OS_ARTIFACT.group}/${OS_ARTIFACT.version}`,
  kind: OS_ARTIFACT.kind,
  metadata: { name, namespace: 'default' },
  spec,
});

/** A client with exactly the permissions that the manifests grant. */
async function asController(): Promise<KubeClient> {
  const account = ['operator-controller', '-n', OPERATOR_NAMESPACE];
  const token = (await plane.kubectl.do(['create', 'token', ...account])).trim();
  const ca = readFileSync(join(plane.pki, 'ca.crt'));
  const credentials = () => Promise.resolve({ ca, authorization: `Bearer ${token}` });
  return createKube({ server: plane.url, credentials }, { userAgent: 'controller/test' });
}

beforeAll(async () => {
  plane = await ControlPlane.start({ name: 'os-artifact-live', controllers: true });
  const { kubectl } = plane;
  await kubectl.do(['apply', '-k', join(repository, 'config/default')]);
  await kubectl.do(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  // no webhook runs here, nor any node
  await kubectl.do(['delete', 'validatingwebhookconfigurations,mutatingwebhookconfigurations', '--all']);
  await kubectl.do(['delete', 'deployments,daemonsets', '--all', '-n', OPERATOR_NAMESPACE]);
  await kubectl.apply(SECRETS);
  kube = await asController();
  const settings = {
    log: silentLog,
    clock: realClock,
    identity: 'test',
    tools: TOOLS,
    defaultImage: 'busybox',
    sentinel: { image: 'busybox', command: ['true'] },
    ownNamespace: OPERATOR_NAMESPACE,
  };
  running = runControllers(kube.with(leading.signal), settings, leading.signal);
});

afterAll(async () => {
  leading.abort();
  await running?.catch(() => undefined);
  kube?.close();
  await plane?.stop();
});

const owned = (name: string, kinds: string) =>
  plane.kubectl
    .getJson<{ items: (Json & { kind: string })[] }>(kinds, '-l', `build.kairos.io/artifact=${name}`)
    .then(list => list?.items ?? []);
const statusOf = async (name: string) => (await plane.kubectl.getJson('osartifact', name))?.status ?? {};
const reached = async (name: string, pattern: RegExp, seconds = 30) =>
  await waitFor(async () => pattern.test(JSON.stringify(await statusOf(name))), {
    what: `the status of ${name} to match ${String(pattern)}`,
    seconds,
    everyMs: 250,
    diagnose: async () => JSON.stringify(await statusOf(name)),
  });

const patch = (what: readonly string[], body: object, ...more: string[]) =>
  plane.kubectl.do(['patch', ...what, '--type=merge', '-p', JSON.stringify(body), ...more]);

/** Sets the final status of a Pod, as the kubelet would: all steps but the last are init containers. */
async function endPod(name: string, phase: 'Succeeded' | 'Failed', steps: { name: string; state: object }[] = []) {
  const containersOf = (isLast: boolean) => steps.filter(step => (step.name === 'list-artifacts') === isLast);
  const statuses = { containerStatuses: containersOf(true), initContainerStatuses: containersOf(false) };
  await patch(['pod', name], { status: { phase, ...statuses } }, '--subresource=status');
}

async function builder(name: string): Promise<string> {
  const found = await waitFor(
    async () => (await owned(name, 'pods')).find(({ metadata }) => metadata?.annotations?.['build.kairos.io/build']),
    { what: `a builder of ${name}`, seconds: 30, diagnose: async () => JSON.stringify(await statusOf(name)) },
  );
  return found.metadata?.name ?? '';
}

const SUM = 'a'.repeat(64);
const listed = (file: string) => [
  {
    name: 'list-artifacts',
    image: 'x',
    imageID: 'x',
    ready: false,
    restartCount: 0,
    state: { terminated: { exitCode: 0, message: `${SUM} 42 ${file}\n` } },
  },
];
const EXAMPLES = [...Object.entries(DOCUMENTED), ['nested-all', NESTED_ALL] as const];

describe('an applied OSArtifact', () => {
  test.each(EXAMPLES)('gets its objects, in the example %s', async (name, spec) => {
    await plane.kubectl.apply(artifact(name, spec));
    await builder(name);
    await reached(name, /the Pod cannot be scheduled/);
    const objects = await owned(name, 'pods,configmaps,secrets,pvc');
    const uid = (await plane.kubectl.getJson('osartifact', name))?.metadata?.['uid'];
    for (const { metadata } of objects)
      expect(metadata?.['ownerReferences']).toMatchObject([{ uid, controller: true }]);
  });

  test('becomes Ready after its exporters', async () => {
    const name = 'iso-and-exporter';
    await endPod(await builder(name), 'Succeeded', listed(`${name}.iso`));
    const job = await plane.kubectl.waitForObject(['job', `${name}-export-0`], () => true);
    expect(job.spec).toMatchObject({ backoffLimit: 0 });
    await reached(name, /Exporting/);
    const exporter = await waitFor(
      async () =>
        (await owned(name, 'pods')).find(({ metadata }) => metadata?.labels?.['batch.kubernetes.io/job-name'])?.metadata
          ?.name,
      { what: 'the Pod of the exporter', seconds: 30 },
    );
    await endPod(exporter, 'Succeeded');
    await reached(name, /"phase":"Ready"/);
    expect(await statusOf(name)).toMatchObject({ outputs: [{ name: `${name}.iso`, size: 42, sha256: SUM }] });
  });

  test('is shown by kubectl with columns and Events', async () => {
    const table = await plane.kubectl.do(['get', 'osartifacts', 'iso-and-exporter']);
    expect(table).toMatch(/NAME +PHASE +STEPS +MESSAGE +AGE/);
    expect(table).toMatch(/Ready +1\/1 +built: iso-and-exporter\.iso/);
    const events = await plane.kubectl.do([
      'get',
      'events',
      '--field-selector',
      'involvedObject.name=iso-and-exporter',
    ]);
    for (const reason of ['Building', 'VolumeReplaced', 'StepDone', 'Exporting', 'Built'])
      expect(events).toContain(reason);
  });

  test.each([
    ['osartifact.spec.artifacts.diskSize', 'such as 10G'],
    ['osartifact.spec.image.buildOptions', 'Version of the system that is built'],
    ['osartifact.status.outputs.sha256', 'checksum'],
  ])('has documentation for %s', async (path, text) =>
    expect((await plane.kubectl.do(['explain', path])).replaceAll(/\s+/g, ' ')).toContain(text),
  );
});

const ISO = { image: { ref: 'quay.io/kairos/x:1' }, artifacts: { iso: true } };

describe('the controller', () => {
  test('starts another build of the same files for another spec', async () => {
    await plane.kubectl.apply(artifact('changing', { ...ISO, artifacts: { iso: true, osRelease: 'one' } }));
    const first = await builder('changing');
    await patch(['osartifact', 'changing'], { spec: { artifacts: { osRelease: 'two' } } });
    await waitFor(async () => (await builder('changing')) !== first, { what: 'another builder', seconds: 30 });
    const [config] = await owned('changing', 'configmaps');
    expect(config?.['data']).toEqual({ 'os-release': 'VERSION="two"\n' });
  });

  test('builds a corrected Dockerfile', async () => {
    await plane.kubectl.apply(secret('late', { ociSpec: 'FROM {{ if }}\n' }));
    await plane.kubectl.apply(artifact('late', { image: { ociSpec: { ref: { name: 'late' } } } }));
    await reached('late', /"phase":"Error"/);
    expect((await statusOf('late'))['message']).toMatch(/Secret "late", line 1/);
    await plane.kubectl.apply(secret('late', { ociSpec: 'FROM scratch\n' }));
    const first = await builder('late');
    await endPod(first, 'Failed', [
      { ...listed('x')[0], name: 'buildah-build', state: { terminated: { exitCode: 3, message: 'no such image\n' } } },
    ]);
    await reached('late', /step buildah-build failed with exit code 3: no such image/);
    await plane.kubectl.apply(secret('late', { ociSpec: 'FROM scratch\nLABEL a=b\n' }));
    await waitFor(async () => (await builder('late')) !== first, {
      what: 'a build of the corrected Dockerfile',
      seconds: 30,
    });
  });

  test('replaces a deleted builder Pod', async () => {
    await plane.kubectl.apply(artifact('lost', ISO));
    const uidOf = async () => (await plane.kubectl.getJson('pod', await builder('lost')))?.metadata?.['uid'];
    const first = await uidOf();
    await plane.kubectl.do(['delete', 'pod', await builder('lost'), '--wait=false']);
    await waitFor(async () => ![first, undefined].includes(await uidOf()), { what: 'another Pod', seconds: 30 });
    await reached('lost', /"attempt":2/);
    expect((await owned('lost', 'pods')).length).toBe(1);
  });

  test('reports an object of another owner with the same name, and keeps it', async () => {
    await plane.kubectl.do(['create', 'configmap', 'taken', '--from-literal=mine=yes']);
    await plane.kubectl.apply(artifact('taken', { ...ISO, artifacts: { iso: true, grubConfig: 'set timeout=1\n' } }));
    await reached('taken', /exists and does not belong to this object/);
    expect((await plane.kubectl.getJson('configmap', 'taken'))?.['data']).toEqual({ mine: 'yes' });
  });

  test('reports a refusal with the message of the API server', async () => {
    const spec = { ...ISO, resources: { pod: { requests: { cpu: 'many' } } } };
    await plane.kubectl.apply(artifact('refused', spec));
    await reached('refused', /"phase":"Error"/);
    expect((await statusOf('refused'))['message']).toMatch(/quantit/);
  });

  test('builds two OSArtifacts of the same name in two namespaces', async () => {
    await plane.kubectl.do(['create', 'namespace', 'other']);
    const twins = ['default', 'other'].map(namespace => {
      const one = artifact('twin', ISO);
      return { ...one, metadata: { ...one.metadata, namespace } };
    });
    await plane.kubectl.apply(twins);
    await builder('twin');
    const [claim] = await waitFor(
      async () => {
        const list = await plane.kubectl.getJson('pvc', '-n', 'other', '-l', 'build.kairos.io/artifact=twin');
        return (list?.items?.length ?? 0) > 0 ? list?.items : undefined;
      },
      { what: 'the claim of the other', seconds: 30 },
    );
    const other = await plane.kubectl.getJson('osartifact', 'twin', '-n', 'other');
    expect(claim?.metadata?.['ownerReferences']).toMatchObject([{ uid: other?.metadata?.['uid'] }]);
  });

  test('builds only for the new object when it is deleted and applied again', async () => {
    const uidOf = async () => (await plane.kubectl.getJson('osartifact', 'again'))?.metadata?.['uid'];
    const owners = async () =>
      (await owned('again', 'pods,pvc,configmaps')).map(({ metadata }) =>
        JSON.stringify(metadata?.['ownerReferences']),
      );
    const spec = { ...ISO, artifacts: { iso: true, osRelease: '1' } };
    await plane.kubectl.apply(artifact('again', spec));
    await builder('again');
    await plane.kubectl.do(['delete', 'osartifact', 'again', '--wait=false']);
    await plane.kubectl.apply(artifact('again', spec));
    const uid = String(await uidOf());
    await waitFor(
      async () => {
        const all = await owners();
        return all.length === 3 && all.every(each => each.includes(uid));
      },
      {
        what: 'Pod, claim and ConfigMap of the new one',
        seconds: 60,
        everyMs: 500,
        diagnose: async () => JSON.stringify([uid, await owners(), await statusOf('again')]),
      },
    );
    await reached('again', /"phase":"Building"/);
    expect(await uidOf()).toBe(uid);
  });

  test('deletes an object with the finalizer of the Go operator, and everything that was created for it', async () => {
    await builder('twin');
    await patch(['osartifact', 'twin'], { metadata: { finalizers: ['build.kairos.io/osbuilder-finalizer'] } });
    await plane.kubectl.do(['delete', 'osartifact', 'twin', '--timeout=30s']);
    await waitFor(async () => (await owned('twin', 'configmaps,secrets,pods,jobs')).length === 0, {
      what: 'the deletion of its objects',
      seconds: 60,
    });
    expect(await plane.kubectl.getJson('osartifact', 'twin')).toBeUndefined();
  });
});
