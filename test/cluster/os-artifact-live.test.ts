/** OSArtifacts on a real API server: the leading controller with the rights of its ServiceAccount, and every object it makes taken as it is. */
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
let led: Promise<void>;

const secret = (name: string, stringData: Record<string, string>, type?: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  stringData,
  type,
});
const registry = (name: string) =>
  secret(name, { '.dockerconfigjson': '{"auths":{}}' }, 'kubernetes.io/dockerconfigjson');

/** What the examples read. */
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

/** With the rights that the manifests grant, and no more. */
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
  led = runControllers(kube.with(leading.signal), settings, leading.signal);
});

afterAll(async () => {
  leading.abort();
  await led?.catch(() => undefined);
  kube?.close();
  await plane?.stop();
});

const of = (name: string, kinds: string) =>
  plane.kubectl
    .getJson<{ items: (Json & { kind: string })[] }>(kinds, '-l', `build.kairos.io/artifact=${name}`)
    .then(list => list?.items ?? []);
const statusOf = async (name: string) => (await plane.kubectl.getJson('osartifact', name))?.status ?? {};
const said = async (name: string, words: RegExp, seconds = 30) =>
  await waitFor(async () => words.test(JSON.stringify(await statusOf(name))), {
    what: `${name} to say ${String(words)}`,
    seconds,
    everyMs: 250,
    diagnose: async () => JSON.stringify(await statusOf(name)),
  });

const patched = (what: readonly string[], body: object, ...more: string[]) =>
  plane.kubectl.do(['patch', ...what, '--type=merge', '-p', JSON.stringify(body), ...more]);

/** As the kubelet would tell of a Pod. */
async function podEnds(name: string, phase: 'Succeeded' | 'Failed', containerStatuses: object[] = []): Promise<void> {
  const status = { phase, containerStatuses };
  await patched(['pod', name], { status }, '--subresource=status');
}

async function builder(name: string): Promise<string> {
  const found = await waitFor(
    async () => (await of(name, 'pods')).find(({ metadata }) => metadata?.annotations?.['build.kairos.io/build']),
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

describe('what is applied is built', () => {
  test.each([...Object.entries(DOCUMENTED), ['nested-all', NESTED_ALL] as const])('%s', async (name, spec) => {
    await plane.kubectl.apply(artifact(name, spec));
    await builder(name);
    await said(name, /the Pod cannot be scheduled/);
    const owners = (await of(name, 'pods,configmaps,secrets,pvc')).map(({ metadata }) => metadata?.['ownerReferences']);
    const uid = (await plane.kubectl.getJson('osartifact', name))?.metadata?.['uid'];
    for (const owner of owners) expect(owner).toMatchObject([{ uid, controller: true }]);
  });

  test('up to its exporters, to the end', async () => {
    const name = 'iso-and-exporter';
    await podEnds(await builder(name), 'Succeeded', listed(`${name}.iso`));
    const job = await plane.kubectl.waitForObject(['job', `${name}-export-0`], () => true);
    expect(job.spec).toMatchObject({ backoffLimit: 0 });
    await said(name, /Exporting/);
    const exporter = await waitFor(
      async () =>
        (await of(name, 'pods')).find(({ metadata }) => metadata?.labels?.['batch.kubernetes.io/job-name'])?.metadata
          ?.name,
      { what: 'the Pod of the exporter', seconds: 30 },
    );
    await podEnds(exporter, 'Succeeded');
    await said(name, /"phase":"Ready"/);
    expect(await statusOf(name)).toMatchObject({ outputs: [{ name: `${name}.iso`, size: 42, sha256: SUM }] });
  });

  test('and told of by kubectl', async () => {
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
  ])('%s is explained', async (path, words) =>
    expect((await plane.kubectl.do(['explain', path])).replaceAll(/\s+/g, ' ')).toContain(words),
  );
});

const ISO = { image: { ref: 'quay.io/kairos/x:1' }, artifacts: { iso: true } };

describe('whatever becomes of it', () => {
  test('another spec is another build, of the same files', async () => {
    await plane.kubectl.apply(artifact('changing', { ...ISO, artifacts: { iso: true, osRelease: 'one' } }));
    const first = await builder('changing');
    await patched(['osartifact', 'changing'], { spec: { artifacts: { osRelease: 'two' } } });
    await waitFor(async () => (await builder('changing')) !== first, { what: 'another builder', seconds: 30 });
    const [config] = await of('changing', 'configmaps');
    expect(config?.['data']).toEqual({ 'os-release': 'VERSION="two"\n' });
  });

  test('a definition that is put right is built', async () => {
    await plane.kubectl.apply(secret('late', { ociSpec: 'FROM {{ if }}\n' }));
    await plane.kubectl.apply(artifact('late', { image: { ociSpec: { ref: { name: 'late' } } } }));
    await said('late', /"phase":"Error"/);
    expect((await statusOf('late'))['message']).toMatch(/Secret "late", line 1/);
    await plane.kubectl.apply(secret('late', { ociSpec: 'FROM scratch\n' }));
    const first = await builder('late');
    await podEnds(first, 'Failed', [
      { ...listed('x')[0], name: 'buildah-build', state: { terminated: { exitCode: 3, message: 'no such image\n' } } },
    ]);
    await said('late', /step buildah-build failed with exit code 3: no such image/);
    await plane.kubectl.apply(secret('late', { ociSpec: 'FROM scratch\nLABEL a=b\n' }));
    await waitFor(async () => (await builder('late')) !== first, {
      what: 'a build of what was put right',
      seconds: 30,
    });
  });

  test('a builder Pod that is deleted is made again', async () => {
    await plane.kubectl.apply(artifact('lost', ISO));
    const uidOf = async () => (await plane.kubectl.getJson('pod', await builder('lost')))?.metadata?.['uid'];
    const first = await uidOf();
    await plane.kubectl.do(['delete', 'pod', await builder('lost'), '--wait=false']);
    await waitFor(async () => ![first, undefined].includes(await uidOf()), { what: 'another Pod', seconds: 30 });
    await said('lost', /"attempt":2/);
    expect((await of('lost', 'pods')).length).toBe(1);
  });

  test('a name that is taken is told, and left alone', async () => {
    await plane.kubectl.do(['create', 'configmap', 'taken', '--from-literal=mine=yes']);
    await plane.kubectl.apply(artifact('taken', { ...ISO, artifacts: { iso: true, grubConfig: 'set timeout=1\n' } }));
    await said('taken', /exists and does not belong to this object/);
    expect((await plane.kubectl.getJson('configmap', 'taken'))?.['data']).toEqual({ mine: 'yes' });
  });

  test('what the API server refuses is told in its words', async () => {
    const spec = { ...ISO, resources: { pod: { requests: { cpu: 'many' } } } };
    await plane.kubectl.apply(artifact('refused', spec));
    await said('refused', /"phase":"Error"/);
    expect((await statusOf('refused'))['message']).toMatch(/quantit/);
  });

  test('two of one name in two namespaces are two', async () => {
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

  test('deleted and applied again at once, it is built for the new one alone', async () => {
    const uidOf = async () => (await plane.kubectl.getJson('osartifact', 'again'))?.metadata?.['uid'];
    const owners = async () =>
      (await of('again', 'pods,pvc,configmaps')).map(({ metadata }) => JSON.stringify(metadata?.['ownerReferences']));
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
    await said('again', /"phase":"Building"/);
    expect(await uidOf()).toBe(uid);
  });

  test('deleted with the finalizer of an earlier operator, it is gone, and all that was made with it', async () => {
    await builder('twin');
    await patched(['osartifact', 'twin'], { metadata: { finalizers: ['build.kairos.io/osbuilder-finalizer'] } });
    await plane.kubectl.do(['delete', 'osartifact', 'twin', '--timeout=30s']);
    await waitFor(async () => (await of('twin', 'configmaps,secrets,pods,jobs')).length === 0, {
      what: 'everything of it to be gone',
      seconds: 60,
    });
    expect(await plane.kubectl.getJson('osartifact', 'twin')).toBeUndefined();
  });
});
