/** OSArtifacts as the documents show them, built for real, uploaded, downloaded and booted. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { bootInEmulator } from '../emulator.js';
import { DnsServer } from '../dns-server.js';
import { artifact, type Status } from './artifact-fixtures.js';
import {
  type ArtifactSetup,
  artifactSetup,
  finalStatus,
  builtFile,
  LOGIN,
  persistentVolume,
  serveArtifacts,
  serverUrl,
} from './artifact-setup.js';
import { DOCKERFILE, documented, FILES, type ImageNames } from './documented-artifacts.js';
import { secret } from './artifact-fixtures.js';

jest.setTimeout(900_000); // the tools may have to be made first

const NAMES = Object.keys(FILES);
const ELSEWHERE = 'elsewhere';
const KNOWN = { imagePullSecrets: [{ name: LOGIN }] };

let setup: ArtifactSetup;
let names: DnsServer;
let ours: ImageNames;

beforeAll(async () => {
  setup = await artifactSetup([...NAMES, 'nested', 'unknown-here']);
  names = await DnsServer.start(setup.cluster);
  const { registry, kubectl, tools } = setup;
  ours = { ready: registry.ref('ready:1'), plain: registry.ref('system:1'), bundle: registry.ref('bundle:1'), tools };
  await kubectl.apply([
    secret('my-dockerfile', { Dockerfile: DOCKERFILE }),
    secret('dockerfile-values', { BaseImage: ours.plain, ExtraPackages: 'vim curl', Version: '1.0.0' }),
    secret('cloud-config-secret', { 'cloud-config.yaml': '#cloud-config\nhostname: edge\n' }),
    secret('part', { ociSpec: 'RUN echo "{{ .Mark }} of the template" > /etc/mark\n' }),
  ]);
  await serveArtifacts(setup, 'default');
  await kubectl.apply([...documented(ours), nested(), artifact('unknown-here', { imageName: ours.ready, iso: true })]);
  await kubectl.apply([...far(), artifact('homeless', { ...KNOWN, imageName: ours.ready, iso: true })]);
});

afterAll(async () => {
  await setup?.kubectl.do(['delete', 'namespace', ELSEWHERE, '--ignore-not-found']);
  await names?.stop();
  await setup?.stop();
});

/** The newest shape: a plain Linux, a part of the user's, the conversion. */
const nested = () =>
  artifact('nested', {
    ...KNOWN,
    image: {
      buildOptions: { version: 'v9.9.9', baseImage: ours.plain },
      ociSpec: { ref: { name: 'part' }, templateValues: { Mark: 'the value' } },
    },
    artifacts: { cloudImage: true, diskSize: '64' },
  });

/** The first example, in a namespace without the server. */
function far(): object[] {
  const login = setup.registry.secret(LOGIN) as { metadata: object };
  const [example] = documented(ours);
  const text = JSON.stringify({ ...example, metadata: { name: 'far', namespace: ELSEWHERE } });
  const server = 'http://kairos-operator-nginx';
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ELSEWHERE } },
    { ...login, metadata: { name: LOGIN, namespace: ELSEWHERE } },
    persistentVolume('far-artifacts', ELSEWHERE),
    JSON.parse(text.replaceAll(server, `${server}.default.svc.cluster.local`)) as object,
  ];
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** What the server gives to somebody outside of the cluster. */
async function served(path: string): Promise<Buffer> {
  const answer = await fetch(`${await serverUrl(setup)}/${path}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** Names, sizes and checksums of what was built, as downloaded. */
const downloaded = ({ outputs }: Status): Promise<object[]> =>
  Promise.all(
    outputs.map(async ({ name }) => {
      const file = await served(name);
      return { name, size: file.length, sha256: sha256(file) };
    }),
  );

test('a controller that is killed while builds run takes them up again', async () => {
  const isBuilding = (phase: unknown) => phase === 'Building';
  await setup.kubectl.waitForObject(['osartifact', 'my-kairos-iso'], ({ status }) => isBuilding(status?.['phase']), 60);
  const killed = await setup.cluster.machine('n1').exec('pkill', '-9', '-f', 'controller.cjs');
  expect(killed.code).toBe(0);
});

describe('the examples of the documents', () => {
  test.each(NAMES)('%s is Ready with its files', async name => {
    const { phase, message, outputs } = await finalStatus(setup, name);
    expect({ phase, message }).toMatchObject({ phase: 'Ready' });
    expect(outputs.map(output => output.name)).toEqual([`${name}.tar`, ...(FILES[name] ?? [])]);
  });

  test('files are downloaded from outside of the cluster as they were built', async () => {
    const status = await finalStatus(setup, 'my-kairos-iso');
    expect(await downloaded(status)).toEqual(status.outputs);
  });

  test('the server lists what was built, and nothing that was not', async () => {
    await finalStatus(setup, 'far', ELSEWHERE);
    const listing = (await served('')).toString();
    const listed = [...listing.matchAll(/<a href="([^"]*)"/g)].map(([, name]) => name);
    expect(listed).toEqual(['../', 'far.iso', 'far.tar', 'my-kairos-iso.iso', 'my-kairos-iso.tar']);
  });

  test('a volume of the exporter itself takes files, too', async () => {
    const [, iso] = (await finalStatus(setup, 'copied-iso')).outputs;
    const copied = await setup.cluster.machine('n1').exec('sha256sum', '/var/built/output/copied-iso.iso');
    expect(copied.stdout.split(' ')[0]).toBe(iso?.sha256);
  });
});

test('an exporter in another namespace uploads to the same server', async () => {
  const status = await finalStatus(setup, 'far', ELSEWHERE);
  expect(status.phase).toBe('Ready');
  expect(await downloaded(status)).toEqual(status.outputs);
});

test('a person can follow a build, and read of it afterwards', async () => {
  const object = 'custom-build';
  const { steps } = await finalStatus(setup, object);
  const table = await setup.kubectl.do(['get', 'osartifact', object]);
  expect(table).toMatch(/^NAME +PHASE +STEPS +MESSAGE +AGE\s/);
  expect(table).toMatch(new RegExp(`Ready +${steps.length}/${steps.length} +built: ${object}\\.tar, ${object}\\.iso `));
  const events = await setup.kubectl.do(['get', 'events', '--field-selector', `involvedObject.name=${object}`]);
  for (const words of ['building in Pod', `step 2 of ${steps.length}, buildah-build, is done`, `built: ${object}.tar`])
    expect(events).toContain(words);
});

describe('a machine boots', () => {
  test('from the medium, and says what the values of the template were', async () => {
    await finalStatus(setup, 'custom-build');
    const serial = await bootInEmulator({ medium: builtFile(setup, 'custom-build', 'custom-build.iso') });
    expect(serial).toMatch(/SYSTEM-IS-UP .*Version: 2\.0\.0 packages: vim curl/);
  });

  test('from the disk of the newest shape, a plain Linux that was made Kairos', async () => {
    expect(await finalStatus(setup, 'nested')).toMatchObject({
      phase: 'Ready',
      message: 'built: nested.tar, nested.raw',
    });
    const serial = await bootInEmulator({ disk: builtFile(setup, 'nested', 'nested.raw') });
    expect(serial).toMatch(/SYSTEM-IS-UP KAIROS_VERSION="v9\.9\.9" .*the value of the template/);
  });
});

describe('what is missing is said', () => {
  test('credentials of a private registry', async () => {
    const { phase, message } = await finalStatus(setup, 'unknown-here');
    expect(phase).toBe('Error');
    expect(message).toMatch(/step pull-image-baseimage failed .*(unauthorized|authentication required)/s);
  });

  test('a volume for the claim', async () => {
    const seen = ({ status }: { status?: Record<string, unknown> }) =>
      /homeless-artifacts|unbound/.test(String(status?.['message']));
    await setup.kubectl.waitForObject(['osartifact', 'homeless'], seen, 60);
    await setup.kubectl.do(['apply', '-f', '-'], { stdin: JSON.stringify(persistentVolume('homeless-artifacts')) });
    expect((await finalStatus(setup, 'homeless')).phase).toBe('Ready');
  });
});
