/** Volumes and registries of builds: claims, user volumes, full volumes, and registries with credentials. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { artifact, inspectionJob, secret } from './artifact-fixtures.js';
import { type ArtifactSetup, artifactSetup, finalStatus, exporterLog, LOGIN } from './artifact-setup.js';

jest.setTimeout(900_000);

const WITH_LOGIN = { imagePullSecrets: [{ name: LOGIN }] };
const LIST = 'cd /artifacts; for file in *; do echo "$file $(sha256sum <"$file" | cut -d " " -f 1)"; done';

let setup: ArtifactSetup;

beforeAll(async () => {
  setup = await artifactSetup(['asked', 'full', 'pushed', 'unknown-pusher']);
});

afterAll(async () => {
  await setup?.cluster.machine('n1').exec('umount', '/var/built/full-artifacts');
  await setup?.stop();
});

const apply = (name: string, spec: object) => setup.kubectl.apply(artifact(name, { ...WITH_LOGIN, ...spec }));
const iso = () => ({ imageName: setup.registry.ref('ready:1'), iso: true });

describe('the volume of a build', () => {
  test('is a claim with the requested spec that belongs to the object', async () => {
    const volume = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '50Gi' } } };
    await apply('asked', { ...iso(), volume });
    expect((await finalStatus(setup, 'asked')).phase).toBe('Ready');
    const claim = await setup.kubectl.getJson('pvc', 'asked-artifacts');
    expect(claim?.spec).toMatchObject(volume);
    expect(claim?.metadata?.labels).toMatchObject({ 'build.kairos.io/artifact': 'asked' });
    expect(claim?.metadata?.['ownerReferences']).toEqual([expect.objectContaining({ name: 'asked' })]);
  });

  test('is a volume of the user, also for exporters, without a claim', async () => {
    const workshop = { name: 'workshop', hostPath: { path: '/var/built/workshop', type: 'DirectoryOrCreate' } };
    await apply('own', {
      image: { ref: setup.registry.ref('ready:1') },
      artifacts: { iso: true, volume: 'workshop' },
      volumes: [workshop],
      exporters: [inspectionJob(setup.tools, LIST)],
    });
    const { phase, outputs } = await finalStatus(setup, 'own');
    expect(phase).toBe('Ready');
    const listed = (await exporterLog(setup, 'own')).trim().split('\n');
    expect(listed).toEqual(outputs.map(({ name, sha256 }) => `${name} ${sha256}`).toSorted());
    expect(await setup.kubectl.getJson('pvc', 'own-artifacts')).toBeUndefined();
    const folder = await setup.cluster.machine('n1').exec('ls', '/var/built/workshop');
    expect(folder.stdout.split('\n')).toEqual(expect.arrayContaining(['own.iso', 'own.tar']));
  });

  test('is reported when it is full, and the build succeeds on a retry with more space', async () => {
    const node = setup.cluster.machine('n1');
    const folder = '/var/built/full-artifacts';
    await node.exec('mkdir', '-p', folder);
    await node.exec('mount', '-t', 'tmpfs', '-o', 'size=30m', 'tmpfs', folder);
    await apply('full', { ...iso(), cloudImage: true, exporters: [inspectionJob(setup.tools, LIST)] });
    const { phase, message } = await finalStatus(setup, 'full');
    expect(phase).toBe('Error');
    expect(message).toMatch(/step build-\S+ failed .*No space left on device/s);
    expect(await setup.kubectl.getJson('job', 'full-export-0')).toBeUndefined();

    await node.exec('mount', '-o', 'remount,size=512m', folder);
    await setup.kubectl.do(['annotate', 'osartifact', 'full', 'operator.kairos.io/retry=more-room']);
    const isReady = ({ status }: { status?: Record<string, unknown> }) => status?.['phase'] === 'Ready';
    await setup.kubectl.waitForObject(['osartifact', 'full'], isReady, 240);
    const { outputs } = await finalStatus(setup, 'full');
    const listed = (await exporterLog(setup, 'full')).trim().split('\n');
    expect(listed).toEqual(outputs.map(({ name, sha256 }) => `${name} ${sha256}`).toSorted());
  });
});

describe('a build that pulls from one registry and pushes to another', () => {
  const [source, target] = [
    () => setup.registry.slowRef('system:1'),
    () => ({ registry: setup.registry.ref('').replace('/', ''), repository: 'made', tag: 'v1' }),
  ];
  const build = (login: string) => ({
    imagePullSecrets: [],
    image: {
      ociSpec: { ref: { name: 'definition' } },
      buildImage: target(),
      push: true,
      imageCredentialsSecretRef: { name: login },
      pullInsecureRegistry: true,
      pushInsecureRegistry: true,
    },
  });

  beforeAll(async () => {
    const { auths } = JSON.parse(await loginText()) as { auths: Record<string, object> };
    const [sourceLogin] = Object.entries(auths).filter(([place]) => source().startsWith(place));
    await setup.kubectl.apply([
      secret('definition', { ociSpec: `FROM ${source()}\nRUN echo made >/etc/mark\n` }),
      secret('source-only', {
        '.dockerconfigjson': JSON.stringify({ auths: Object.fromEntries([sourceLogin ?? ['', {}]]) }),
      }),
    ]);
  });

  async function loginText(): Promise<string> {
    const data = (await setup.kubectl.getJson('secret', LOGIN))?.['data'] as Record<string, string>;
    return Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString();
  }

  test('reports missing credentials for the registry to push to', async () => {
    await apply('unknown-pusher', build('source-only'));
    const { phase, message } = await finalStatus(setup, 'unknown-pusher');
    expect(phase).toBe('Error');
    expect(message).toMatch(/step buildah-build failed .*(unauthorized|authentication required)/s);
  });

  test('pushes the image with credentials for both', async () => {
    await apply('pushed', build(LOGIN));
    expect(await finalStatus(setup, 'pushed')).toMatchObject({ phase: 'Ready', message: 'built: pushed.tar' });
  });
});
