/** The documented OSArtifacts, built by the real controller, uploaded, downloaded and booted. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { bootInEmulator } from '../emulator.js';
import { DnsServer } from '../dns-server.js';
import { artifact, inspectionJob, type Status } from './artifact-fixtures.js';
import {
  type ArtifactSetup,
  artifactSetup,
  finalStatus,
  builtFile,
  exporterLog,
  LOGIN,
  persistentVolume,
  serveArtifacts,
  serverUrl,
} from './artifact-setup.js';
import { DOCKERFILE, documented, FILES, type ImageNames } from './documented-artifacts.js';
import { secret } from './artifact-fixtures.js';
import { mustRun } from '../run-command.js';
import { waitFor } from '../wait.js';

jest.setTimeout(900_000); // the tools may have to be made first

const NAMES = Object.keys(FILES);
const OTHER_NAMESPACE = 'other-namespace';
const BASELINE_NAMESPACE = 'baseline-namespace';
const WITH_LOGIN = { imagePullSecrets: [{ name: LOGIN }] };

let setup: ArtifactSetup;
let names: DnsServer;
let imageNames: ImageNames;

beforeAll(async () => {
  setup = await artifactSetup([...NAMES, 'nested', 'unknown-here', 'killed']);
  names = await DnsServer.start(setup.cluster);
  const { registry, kubectl, tools } = setup;
  imageNames = {
    ready: registry.ref('ready:1'),
    plain: registry.ref('system:1'),
    bundle: registry.ref('bundle:1'),
    tools,
  };
  await kubectl.apply([
    secret('my-dockerfile', { Dockerfile: DOCKERFILE }),
    secret('dockerfile-values', { BaseImage: imageNames.plain, ExtraPackages: 'vim curl', Version: '1.0.0' }),
    secret('cloud-config-secret', { 'cloud-config.yaml': '#cloud-config\nhostname: edge\n' }),
    secret('part', { ociSpec: PART }),
  ]);
  await serveArtifacts(setup, 'default');
  await kubectl.apply([
    ...documented(imageNames),
    nested(),
    artifact('unknown-here', { imageName: imageNames.ready, iso: true }),
  ]);
  await kubectl.apply([
    ...inBaselineNamespace(),
    ...inOtherNamespace(),
    artifact('homeless', { ...WITH_LOGIN, imageName: imageNames.ready, iso: true }),
  ]);
});

afterAll(async () => {
  await setup?.kubectl.do(['delete', 'namespace', OTHER_NAMESPACE, BASELINE_NAMESPACE, '--ignore-not-found']);
  await names?.stop();
  await setup?.stop();
});

/** Copies from the image to convert, and uses an argument of the conversion. */
const PART = `COPY --from=base-kairos /usr/lib/os-release /etc/copied
RUN echo "{{ .Mark }} of the template for $VERSION" > /etc/mark
`;

/** The nested shape: a plain Linux, a Dockerfile of the user, and the conversion. */
const nested = () =>
  artifact('nested', {
    ...WITH_LOGIN,
    image: {
      buildOptions: {
        version: 'v9.9.9',
        baseImage: imageNames.plain,
        kubernetesDistro: 'k3s',
        kubernetesVersion: 'v1.34.1+k3s1',
      },
      ociSpec: { ref: { name: 'part' }, templateValues: { Mark: 'the value' } },
    },
    artifacts: { cloudImage: true, diskSize: '64' },
  });

/** A Kairos system before v3.2, named with a scheme, whose medium gets files of a Secret and a ConfigMap, in a namespace without privileged Pods. */
function inBaselineNamespace(): object[] {
  const namespace = BASELINE_NAMESPACE;
  const login = setup.registry.secret(LOGIN) as { metadata: object };
  const labels = { 'pod-security.kubernetes.io/enforce': 'baseline' };
  const items = (path: string) => [{ key: 'file', path }];
  const spec = {
    image: { ref: `docker:${setup.registry.ref('old:1')}`, imageCredentialsSecretRef: { name: LOGIN } },
    artifacts: {
      netboot: true,
      netbootURL: 'http://boot.example/os',
      kairosRelease: 'v3.0.9',
      overlayISOVolume: 'media-files',
      overlayRootfsVolume: 'root-files',
    },
    volumes: [
      { name: 'media-files', secret: { secretName: 'media-files', items: items('boot/added') } },
      { name: 'root-files', configMap: { name: 'root-files', items: items('etc/mark') } },
    ],
    exporters: [inspectionJob(setup.tools, LOOK_INTO_NETBOOT)],
  };
  const inNamespace = (object: object, name: string) => ({ ...object, metadata: { name, namespace } });
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    inNamespace(login, LOGIN),
    inNamespace(secret('media-files', { file: 'of the medium' }), 'media-files'),
    inNamespace({ apiVersion: 'v1', kind: 'ConfigMap', data: { file: 'of the system' } }, 'root-files'),
    persistentVolume('strict-artifacts', namespace),
    inNamespace(artifact('strict', spec), 'strict'),
  ];
}

const LOOK_INTO_NETBOOT = `cd /artifacts && ls -A
unsquashfs -d /tmp/root strict.squashfs >/dev/null
echo "in its system: $(cat /tmp/root/etc/mark), $(grep -h KAIROS_ /tmp/root/usr/lib/os-release | tr '\\n' ' ')"
stat -c 'its root folder has mode %a' /tmp/root
head -n 2 strict.ipxe`;

/** The first example, in a namespace without the server. */
function inOtherNamespace(): object[] {
  const login = setup.registry.secret(LOGIN) as { metadata: object };
  const [example] = documented(imageNames);
  const text = JSON.stringify({ ...example, metadata: { name: 'far', namespace: OTHER_NAMESPACE } });
  const server = 'http://kairos-operator-nginx';
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: OTHER_NAMESPACE } },
    { ...login, metadata: { name: LOGIN, namespace: OTHER_NAMESPACE } },
    persistentVolume('far-artifacts', OTHER_NAMESPACE),
    JSON.parse(text.replaceAll(server, `${server}.default.svc.cluster.local`)) as object,
  ];
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** A file of the server, downloaded from outside the cluster. */
async function served(path: string): Promise<Buffer> {
  const response = await fetch(`${await serverUrl(setup)}/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Names, sizes and checksums of the built files, as downloaded. */
const downloaded = ({ outputs }: Status): Promise<object[]> =>
  Promise.all(
    outputs.map(async ({ name }) => {
      const file = await served(name);
      return { name, size: file.length, sha256: sha256(file) };
    }),
  );

test('a restarted controller continues running builds', async () => {
  const isBuilding = (phase: unknown) => phase === 'Building';
  await setup.kubectl.waitForObject(['osartifact', 'my-kairos-iso'], ({ status }) => isBuilding(status?.['phase']), 60);
  const killed = await setup.cluster.machine('n1').exec('pkill', '-9', '-f', 'controller.cjs');
  expect(killed.code).toBe(0);
});

describe('the documented examples', () => {
  test.each(NAMES)('build the files of %s', async name => {
    const { phase, message, outputs } = await finalStatus(setup, name);
    expect({ phase, message }).toMatchObject({ phase: 'Ready' });
    expect(outputs.map(output => output.name)).toEqual([`${name}.tar`, ...(FILES[name] ?? [])]);
  });

  test('can be downloaded unchanged from outside the cluster', async () => {
    const status = await finalStatus(setup, 'my-kairos-iso');
    expect(await downloaded(status)).toEqual(status.outputs);
  });

  test('are listed by the server without any other file', async () => {
    await finalStatus(setup, 'far', OTHER_NAMESPACE);
    const listing = (await served('')).toString();
    const listed = [...listing.matchAll(/<a href="([^"]*)"/g)].map(([, name]) => name);
    expect(listed).toEqual([
      '../',
      ...['far', 'my-kairos-iso'].flatMap(name => [`${name}.iso`, `${name}.iso.sha256`, `${name}.tar`]),
    ]);
  });

  test('can be copied to a volume of the exporter', async () => {
    const [, iso] = (await finalStatus(setup, 'copied-iso')).outputs;
    const copied = await setup.cluster.machine('n1').exec('sha256sum', '/var/built/output/copied-iso.iso');
    expect(copied.stdout.split(' ')[0]).toBe(iso?.sha256);
  });
});

test('an exporter in another namespace uploads to the same server', async () => {
  const status = await finalStatus(setup, 'far', OTHER_NAMESPACE);
  expect(status.phase).toBe('Ready');
  expect(await downloaded(status)).toEqual(status.outputs);
});

test('kubectl shows the progress and the Events of a build', async () => {
  const object = 'custom-build';
  const { steps } = await finalStatus(setup, object);
  const table = await setup.kubectl.do(['get', 'osartifact', object]);
  expect(table).toMatch(/^NAME +PHASE +STEPS +MESSAGE +AGE\s/);
  expect(table).toMatch(
    new RegExp(
      `Ready +${steps.length}/${steps.length} +built: ${object}\\.tar, ${object}\\.iso, ${object}\\.iso\\.sha256 `,
    ),
  );
  const events = await setup.kubectl.do(['get', 'events', '--field-selector', `involvedObject.name=${object}`]);
  for (const text of ['building in Pod', `step 2 of ${steps.length}, buildah-build, is done`, `built: ${object}.tar`])
    expect(events).toContain(text);
});

describe('a machine boots', () => {
  test('from the ISO image, with the values of the template', async () => {
    await finalStatus(setup, 'custom-build');
    const serial = await bootInEmulator({ medium: builtFile(setup, 'custom-build', 'custom-build.iso') });
    expect(serial).toMatch(/SYSTEM-IS-UP .*Version: 2\.0\.0 packages: vim curl/);
  });

  test('from the disk of the nested shape, a plain Linux that was converted', async () => {
    expect(await finalStatus(setup, 'nested')).toMatchObject({
      phase: 'Ready',
      message: 'built: nested.tar, nested.raw',
    });
    const serial = await bootInEmulator({ disk: builtFile(setup, 'nested', 'nested.raw') });
    expect(serial).toMatch(
      /SYSTEM-IS-UP KAIROS_VERSION="v9\.9\.9" .*_PREFIX="k3s" KAIROS_SOFTWARE_VERSION="v1\.34\.1\+k3s1" .*the value of the template for v9\.9\.9/,
    );
  });
});

test('a build without disks needs no privileges, and exports exactly what was requested', async () => {
  const { phase, message } = await finalStatus(setup, 'strict', BASELINE_NAMESPACE);
  const files = ['strict.tar', 'strict.squashfs', 'strict-kernel', 'strict-initrd', 'strict.ipxe'];
  expect({ phase, message }).toEqual({ phase: 'Ready', message: `built: ${files.join(', ')}` });
  const log = await exporterLog(setup, 'strict', 0, BASELINE_NAMESPACE);
  expect(log.split('\n').slice(0, files.length).toSorted()).toEqual(files.toSorted());
  expect(log).toContain(
    'in its system: of the system, KAIROS_FLAVOR="small" KAIROS_VERSION="v3.0.9" KAIROS_RELEASE="v3.0.9"',
  );
  expect(log).toContain('its root folder has mode 755');
  expect(log).toContain('#!ipxe\nset url http://boot.example/os\n');
});

test('a build of a disk that is ended leaves no loop device attached', async () => {
  const devices = async () => (await mustRun('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])).trim();
  const isAttached = async () => (await devices()).includes('kairos-operator-build');
  await setup.kubectl.apply(
    artifact('killed', { ...WITH_LOGIN, imageName: setup.registry.ref('slow:1'), cloudImage: true }),
  );
  await waitFor(isAttached, { what: 'a disk that is attached', seconds: 300 });
  await setup.kubectl.do(['delete', 'osartifact', 'killed', '--timeout=60s'], { seconds: 70 });
  await waitFor(async () => !(await isAttached()), { what: 'the disk to be detached', seconds: 30, diagnose: devices });
  expect(await devices()).not.toContain('kairos-operator-build');
});

describe('a message about something missing', () => {
  test('names credentials of a private registry', async () => {
    const { phase, message } = await finalStatus(setup, 'unknown-here');
    expect(phase).toBe('Error');
    expect(message).toMatch(/step pull-image-baseimage failed .*(unauthorized|authentication required)/s);
  });

  test('names the claim without a volume', async () => {
    const seen = ({ status }: { status?: Record<string, unknown> }) =>
      /homeless-artifacts|unbound/.test(String(status?.['message']));
    await setup.kubectl.waitForObject(['osartifact', 'homeless'], seen, 60);
    await setup.kubectl.do(['apply', '-f', '-'], { stdin: JSON.stringify(persistentVolume('homeless-artifacts')) });
    expect((await finalStatus(setup, 'homeless')).phase).toBe('Ready');
  });
});
