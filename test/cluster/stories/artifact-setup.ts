/** A cluster that builds OSArtifacts: the operator with the tools of the tests, a private registry with images, and PersistentVolumes. */
import { stringify } from 'yaml';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type ArtifactImages, artifactImages } from '../artifact-images.js';
import { busyboxImage } from '../images.js';
import { OPERATOR_NAMESPACE } from '../install.js';
import type { Json } from '../kubectl.js';
import { repository } from '../paths.js';
import { Registry } from '../registry.js';
import { KAIROS_INIT, READY_RELEASE, type Status, ZYPPER } from './artifact-fixtures.js';
import { type Operator, setUpOperator } from './operator.js';

/** The Secret with registry credentials in the documented examples. */
export const LOGIN = 'private-registry-secret';

export interface ArtifactSetup extends Operator {
  images: ArtifactImages;
  registry: Registry;
  /** The image of all tools. */
  tools: string;
  stop(): Promise<void>;
}

const report = (line: string) => void process.stderr.write(`${line}\n`);

/** Removes the objects of earlier tests first. `claims`: names of the OSArtifacts for whose claims a PersistentVolume is created. */
export async function artifactSetup(claims: readonly string[], nodes = 1): Promise<ArtifactSetup> {
  const images = await artifactImages(report);
  const inCluster = [{ ...images.tools, root: '' }, images.nginx];
  const setup = await setUpOperator(nodes, inCluster);
  const { kubectl, cluster } = setup;
  const deleteAll = (kinds: string, ...where: string[]) =>
    kubectl.do(['delete', kinds, '--all', '--timeout=120s', ...where], { seconds: 150 });
  await deleteAll('osartifacts', '-A');
  await deleteAll('jobs,pods');
  await deleteAll('pvc', '-A');
  await deleteAll('pv');
  for (const { name } of setup.machines) await cluster.machine(name).exec('rm', '-rf', '/var/built');
  const registry = await Registry.start(cluster);
  await pushImages(registry, images);
  const tools = images.tools.ref;
  await configure(setup, [
    `TOOL_IMAGE=${tools}`,
    `BUILDAH_IMAGE=${tools}`,
    `KAIROS_INIT_IMAGE=${registry.ref('kairos-init:1')}`,
  ]);
  await kubectl.apply([registry.secret(LOGIN), ...claims.map(name => persistentVolume(`${name}-artifacts`))]);
  const stop = async () => {
    await kubectl.do(['delete', 'osartifacts', '--all', '--timeout=120s'], { seconds: 150 });
    await kubectl.do(['delete', 'deployments,services', '-l', 'app.kubernetes.io/name=kairos-operator-nginx']);
    await registry.stop();
  };
  return { ...setup, images, registry, tools, stop };
}

async function configure({ kubectl }: Operator, settings: readonly string[]): Promise<void> {
  const program = ['deployment/operator-controller', '-n', OPERATOR_NAMESPACE];
  await kubectl.do(['set', 'env', ...program, ...settings]);
  await kubectl.do(['rollout', 'status', ...program, '--timeout=120s'], { seconds: 130 });
}

/** Images to build from. `ready` is a Kairos system. */
async function pushImages(registry: Registry, { system }: ArtifactImages): Promise<void> {
  await registry.push('system:1', system, { programs: { 'bin/zypper': Buffer.from(ZYPPER) } });
  await registry.push('ready:1', system, { files: { 'etc/kairos-release': READY_RELEASE } });
  await registry.push('old:1', system, { files: { 'usr/lib/os-release': `ID=small\nVERSION="1"\n${READY_RELEASE}` } });
  const slow = { 'etc/kairos-release': READY_RELEASE, 'etc/slow-disk': '120' };
  await registry.push('slow:1', system, { files: slow });
  const bare = { bare: true };
  await registry.push('kairos-init:1', system, { ...bare, programs: { 'kairos-init': Buffer.from(KAIROS_INIT) } });
  await registry.push('bundle:1', await busyboxImage(), { ...bare, files: { 'etc/of-the-bundle': 'bundled\n' } });
}

/** A volume for a claim, on the first node. */
export const persistentVolume = (claim: string, namespace = 'default') => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: claim },
  spec: {
    capacity: { storage: '100Gi' },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { namespace, name: claim },
    hostPath: { path: `/var/built/${claim}`, type: 'DirectoryOrCreate' },
  },
});

/** Builds run in parallel on few cores. */
const BUILD_SECONDS = 600;

const isEnd = ({ status: now }: Json) => now?.['phase'] === 'Ready' || now?.['phase'] === 'Error';

/** Waits for the final phase of an OSArtifact. */
export async function finalStatus({ kubectl }: Operator, name: string, namespace = 'default'): Promise<Status> {
  const object = ['osartifact', name, '-n', namespace];
  await kubectl.waitForObject(object, isEnd, BUILD_SECONDS);
  const found = await kubectl.getJson<{ status: Status }>(...object);
  if (found === undefined) throw new Error(`OSArtifact ${name} was deleted`);
  return found.status;
}

/** The log of a successful exporter. */
export async function exporterLog(
  { kubectl }: Operator,
  name: string,
  index = 0,
  namespace = 'default',
): Promise<string> {
  const job = ['-l', `batch.kubernetes.io/job-name=${name}-export-${index}`, '-n', namespace];
  const pods = await kubectl.getJson('pods', ...job, '--field-selector', 'status.phase=Succeeded');
  const [pod] = pods?.items ?? [];
  if (pod?.metadata?.name === undefined) throw new Error(`no exporter ${index} of ${name} succeeded`);
  return await kubectl.do(['logs', pod.metadata.name, '-n', namespace]);
}

/** Path of a built file on the test machine. */
export const builtFile = ({ cluster }: Operator, name: string, file: string) =>
  cluster.machine('n1').hostPath(`/var/built/${name}-artifacts/${file}`);

/** Installs the published server of artifacts with the image of the tests. Its user must own the hostPath volume, since Kubernetes does not apply fsGroup to it. */
export async function serveArtifacts({ kubectl, cluster, images }: ArtifactSetup, namespace: string): Promise<void> {
  const claim = 'kairos-operator-nginx';
  await cluster.machine('n1').exec('install', '-d', '-o', '65532', '-g', '65532', `/var/built/${claim}`);
  await kubectl.apply(persistentVolume(claim, namespace));
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nginx-overlay-')));
  try {
    const [newName, newTag] = images.nginx.ref.split(/:(?=[^:]*$)/);
    const kustomization = {
      resources: [relative(folder, join(repository, 'config/nginx'))],
      images: [{ name: 'docker.io/library/nginx', newName, newTag }],
    };
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
    await kubectl.do(['apply', '-k', folder, '-n', namespace]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const deployment = ['rollout', 'status', 'deployment/kairos-operator-nginx', '-n', namespace, '--timeout=90s'];
  await kubectl.do(deployment, { seconds: 100 });
}

/** URL of the server in the default namespace, from outside the cluster; for downloads only. */
export const serverUrl = (operator: Operator): Promise<string> =>
  nodePortUrl(operator, 'kairos-operator-nginx-download');

/** The URL for uploads from outside the cluster, which are opened for that. */
export async function openUploads(operator: Operator): Promise<string> {
  const type = JSON.stringify({ spec: { type: 'NodePort' } });
  await operator.kubectl.do(['patch', 'service', 'kairos-operator-nginx', '--patch', type]);
  return await nodePortUrl(operator, 'kairos-operator-nginx');
}

async function nodePortUrl({ kubectl }: Operator, service: string): Promise<string> {
  const { spec } = (await kubectl.getJson('service', service)) ?? {};
  const [{ nodePort = 0 } = {}] = (spec?.['ports'] ?? []) as { nodePort?: number }[];
  const node = await kubectl.getJson('node', 'n1');
  const [{ address = '' } = {}] = (node?.status?.['addresses'] ?? []) as { address?: string }[];
  return `http://${address}:${nodePort}`;
}
