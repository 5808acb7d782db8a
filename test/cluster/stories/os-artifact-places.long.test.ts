/** Where builds lie, and where images come from and go to: volumes that are there, missing or full; a registry that knows who is asking. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { artifact, inspectionJob, secret } from './artifact-fixtures.js';
import { type ArtifactSetup, artifactSetup, finalStatus, exporterLog, LOGIN } from './artifact-setup.js';

jest.setTimeout(900_000);

const KNOWN = { imagePullSecrets: [{ name: LOGIN }] };
const LIST = 'cd /artifacts; for file in *; do echo "$file $(sha256sum <"$file" | cut -d " " -f 1)"; done';

let setup: ArtifactSetup;

beforeAll(async () => {
  setup = await artifactSetup(['asked', 'full', 'pushed', 'unknown-pusher']);
});

afterAll(async () => {
  await setup?.cluster.machine('n1').exec('umount', '/var/built/full-artifacts');
  await setup?.stop();
});

const apply = (name: string, spec: object) => setup.kubectl.apply(artifact(name, { ...KNOWN, ...spec }));
const iso = () => ({ imageName: setup.registry.ref('ready:1'), iso: true });

describe('volumes', () => {
  test('the claim is made as it was asked for, and belongs to the object', async () => {
    const volume = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '50Gi' } } };
    await apply('asked', { ...iso(), volume });
    expect((await finalStatus(setup, 'asked')).phase).toBe('Ready');
    const claim = await setup.kubectl.getJson('pvc', 'asked-artifacts');
    expect(claim?.spec).toMatchObject(volume);
    expect(claim?.metadata?.labels).toMatchObject({ 'build.kairos.io/artifact': 'asked' });
    expect(claim?.metadata?.['ownerReferences']).toEqual([expect.objectContaining({ name: 'asked' })]);
  });

  test('a volume of the user is built in, and exported from, without a claim', async () => {
    const workshop = { name: 'workshop', hostPath: { path: '/var/built/workshop', type: 'DirectoryOrCreate' } };
    await apply('own', {
      image: { ref: setup.registry.ref('ready:1') },
      artifacts: { iso: true, volume: 'workshop' },
      volumes: [workshop],
      exporters: [inspectionJob(setup.tools, LIST)],
    });
    const { phase, outputs } = await finalStatus(setup, 'own');
    expect(phase).toBe('Ready');
    const told = (await exporterLog(setup, 'own')).trim().split('\n');
    expect(told).toEqual(outputs.map(({ name, sha256 }) => `${name} ${sha256}`).toSorted());
    expect(await setup.kubectl.getJson('pvc', 'own-artifacts')).toBeUndefined();
    const lies = await setup.cluster.machine('n1').exec('ls', '/var/built/workshop');
    expect(lies.stdout.split('\n')).toEqual(expect.arrayContaining(['own.iso', 'own.tar']));
  });

  test('one that is full is told of; with more room the build is asked for again', async () => {
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
    const told = (await exporterLog(setup, 'full')).trim().split('\n');
    expect(told).toEqual(outputs.map(({ name, sha256 }) => `${name} ${sha256}`).toSorted());
  });
});

describe('a registry of one port gives, one of another takes', () => {
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
    const [giving] = Object.entries(auths).filter(([place]) => source().startsWith(place));
    await setup.kubectl.apply([
      secret('definition', { ociSpec: `FROM ${source()}\nRUN echo made >/etc/mark\n` }),
      secret('giving-only', {
        '.dockerconfigjson': JSON.stringify({ auths: Object.fromEntries([giving ?? ['', {}]]) }),
      }),
    ]);
  });

  async function loginText(): Promise<string> {
    const data = (await setup.kubectl.getJson('secret', LOGIN))?.['data'] as Record<string, string>;
    return Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString();
  }

  test('who is unknown to the one that takes is told so', async () => {
    await apply('unknown-pusher', build('giving-only'));
    const { phase, message } = await finalStatus(setup, 'unknown-pusher');
    expect(phase).toBe('Error');
    expect(message).toMatch(/step buildah-build failed .*(unauthorized|authentication required)/s);
  });

  test('who is known to both has the image put there, to be built from', async () => {
    await apply('pushed', build(LOGIN));
    expect(await finalStatus(setup, 'pushed')).toMatchObject({ phase: 'Ready', message: 'built: pushed.tar' });
  });
});
