/** OSArtifacts built for real: an image out of a registry, made a Kairos system, turned into media and disks, pushed, and built from again. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { artifactImages } from '../artifact-images.js';
import { bootedFrom } from '../boot-from.js';
import { busyboxImage } from '../images.js';
import { OPERATOR_NAMESPACE } from '../install.js';
import { Registry } from '../registry.js';
import {
  AGAIN,
  artifact,
  claimed,
  FILES,
  INSPECT,
  KAIROS_INIT,
  keys,
  looking,
  secret,
  type Status,
  STEPS,
} from './artifact-fixtures.js';
import { type Operator, operator } from './operator.js';

jest.setTimeout(1_200_000); // the tools may have to be made first

const LOGIN = 'registry-login';
const say = (line: string) => void process.stderr.write(`${line}\n`);

let it: Operator;
let registry: Registry;
let tools: string;

beforeAll(async () => {
  const images = await artifactImages(say);
  tools = images.tools.ref;
  it = await operator(1, [{ ...images.tools, root: '' }]);
  const { kubectl, cluster } = it;
  await kubectl.do(['delete', 'osartifacts,pvc,pv', '--all']);
  await cluster.machine('n1').exec('rm', '-rf', '/var/built');
  registry = await Registry.start(cluster);
  await registry.push('system:1', images.system);
  await registry.push('kairos-init:1', images.system, {
    bare: true,
    programs: { 'kairos-init': Buffer.from(KAIROS_INIT) },
  });
  await registry.push('bundle:1', await busyboxImage(), { bare: true, files: { 'etc/of-the-bundle': 'bundled\n' } });
  const program = ['deployment/operator-controller', '-n', OPERATOR_NAMESPACE];
  const settings = [
    `TOOL_IMAGE=${tools}`,
    `BUILDAH_IMAGE=${tools}`,
    `KAIROS_INIT_IMAGE=${registry.ref('kairos-init:1')}`,
  ];
  await kubectl.do(['set', 'env', ...program, ...settings]);
  await kubectl.do(['rollout', 'status', ...program, '--timeout=120s']);
  await kubectl.apply([
    registry.secret(LOGIN),
    secret('part', { ociSpec: 'COPY here.txt /etc/here.txt\nRUN echo "{{ .Mark }} in {{ .Where }}" >/etc/mark\n' }),
    secret('values', { Mark: 'not this one', Where: 'the definition' }),
    secret('config', { 'cloud-config.yaml': '#cloud-config\nhostname: edge\n' }),
    secret('keys', keys()),
    ...['edge', 'again', 'stranger'].map(claimed),
  ]);
});

afterAll(async () => {
  await registry?.stop();
  await it?.kubectl.do(['delete', 'osartifacts', '--all']);
});

async function ended(name: string, seconds = 240): Promise<Status> {
  await it.kubectl.waitForObject(
    ['osartifact', name],
    ({ status: now }) => now?.['phase'] === 'Ready' || now?.['phase'] === 'Error',
    seconds,
  );
  const seen = await it.kubectl.getJson<{ status: Status }>('osartifact', name);
  if (seen === undefined) throw new Error(`OSArtifact ${name} is gone`);
  return seen.status;
}

const log = (job: string) => it.kubectl.do(['logs', `job/${job}`]);

describe('a plain system and a definition of the user become every kind of artifact', () => {
  let status: Status;
  let told: string;

  beforeAll(async () => {
    const insecure = { pullInsecureRegistry: true, pushInsecureRegistry: true };
    const [host = ''] = registry.ref('').split('/');
    const image = {
      buildOptions: { version: 'v9.9.9', baseImage: registry.ref('system:1'), kubernetesDistro: 'k3s' },
      ociSpec: {
        ref: { name: 'part' },
        templateValues: { Mark: 'made' },
        templateValuesFrom: { name: 'values' },
        buildContextVolume: 'context',
      },
      buildImage: { registry: host, repository: 'edge', tag: 'v1' },
      push: true,
      imageCredentialsSecretRef: { name: LOGIN },
      ...insecure,
    };
    const bring = 'echo brought >/context/here.txt && echo hello >/media-files/hello.txt';
    const mounts = ['context', 'media-files'].map(name => ({ name, mountPath: `/${name}` }));
    const keyVolume = { name: 'keys', secret: { secretName: 'keys' } };
    await it.kubectl.apply(
      artifact('edge', {
        image,
        importers: [{ name: 'bring', image: tools, command: ['bash', '-c', bring], volumeMounts: mounts }],
        volumes: [{ name: 'context', emptyDir: {} }, { name: 'media-files', emptyDir: {} }, keyVolume],
        artifacts: {
          iso: true,
          cloudImage: true,
          azureImage: true,
          gceImage: true,
          netboot: true,
          netbootURL: 'http://boot.example',
          uki: { iso: true, container: true, efi: true, keysVolume: 'keys' },
          diskSize: '64M',
          cloudConfigRef: { name: 'config' },
          grubConfig: '# a menu of our own\n',
          overlayISOVolume: 'media-files',
        },
        exporters: [looking(tools, INSPECT, [keyVolume], [{ name: 'keys', mountPath: '/keys' }])],
      }),
    );
    status = await ended('edge');
    told = status.phase === 'Ready' ? await log('edge-export-0') : '';
  });

  test('each step is done, and each file is there', () => {
    expect(status).toMatchObject({ phase: 'Ready', message: `built: ${FILES.join(', ')}` });
    expect(status.steps.map(({ name, state }) => `${name} ${state}`)).toEqual(STEPS.map(name => `${name} Done`));
  });

  test('names, sizes and checksums in the status are those that an exporter sees', () => {
    const seen = status.outputs.map(({ name, sha256, size }) => `file ${name} ${sha256} ${size}`);
    expect(
      told
        .split('\n')
        .filter(line => line.startsWith('file '))
        .toSorted(),
    ).toEqual(seen.toSorted());
  });

  test.each([
    [
      'what the user wants on the medium is there',
      'on the medium: #cloud-config hostname: edge # a menu of our own hello',
    ],
    [
      'template, values, context and version are in the system',
      'in its system: KAIROS_VERSION="v9.9.9" made in the definition brought',
    ],
    [
      'kairos-init ran with the options',
      'kairos-init was told: -l debug -s install --version v9.9.9 -m generic -t false -k k3s|-l debug -s init',
    ],
    ['files to boot over the network are those of the medium', 'over the network the same'],
    ['the disk has the cloud-config', 'on the disk: #cloud-config hostname: edge'],
    ['disks have the forms of their clouds', 'for Azure: conectix, for Google: disk.raw'],
    ['the kernel image is signed by the key', 'Signature verification OK'],
  ])('%s', (_sentence, words) => expect(told).toContain(words));

  test.each([
    ['medium', 'edge.iso'],
    ['disk', 'edge.raw'],
  ] as const)('a machine boots from the %s', async (as, file) => {
    const serial = await bootedFrom(it.cluster.machine('n1').hostPath(`/var/built/edge/${file}`), as);
    expect(serial).toMatch(/SYSTEM-IS-UP KAIROS_VERSION="v9\.9\.9" .*made in the definition/);
  });
});

describe('the image that was pushed', () => {
  const known = () => ({ imageCredentialsSecretRef: { name: LOGIN }, pullInsecureRegistry: true });

  test('is a Kairos image to build from, with bundles and release files over it', async () => {
    await it.kubectl.apply(
      artifact('again', {
        image: { ref: registry.ref('edge:v1'), ...known() },
        artifacts: {
          iso: true,
          bundles: [registry.ref('bundle:1')],
          osRelease: '2.0',
          kairosRelease: 'KAIROS_VERSION="v1"\n',
        },
        nameOverride: { iso: 'medium' },
        exporters: [looking(tools, AGAIN)],
      }),
    );
    const status = await ended('again');
    expect(status).toMatchObject({ phase: 'Ready', message: 'built: again.tar, medium.iso' });
    const told = await log('again-export-0');
    expect(told).toContain('in its system: KAIROS_VERSION="v1" bundled made in the definition');
    expect(told).toContain('VERSION="2.0"');
  });

  test('is built from anew when the spec changes', async () => {
    const pod = (await ended('again')).pod;
    const data = (await it.kubectl.getJson('secret', LOGIN))?.['data'] as Record<string, string>;
    const { auths } = JSON.parse(Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString()) as {
      auths: object;
    };
    const more = JSON.stringify({ auths: { ...auths, 'registry.example': { auth: 'eDp5' } } });
    await it.kubectl.apply(secret('more-logins', { '.dockerconfigjson': more }));
    const image = { imageCredentialsSecretRef: { name: 'more-logins' } };
    const change = { spec: { image, artifacts: { osRelease: '3.0' } } };
    await it.kubectl.do(['patch', 'osartifact', 'again', '--type=merge', '-p', JSON.stringify(change)]);
    const anew = ({ status }: { status?: Record<string, unknown> }) =>
      status?.['phase'] === 'Ready' && status['pod'] !== pod;
    await it.kubectl.waitForObject(['osartifact', 'again'], anew, 120);
    expect(await log('again-export-0')).toContain('VERSION="3.0"');
    expect(await it.kubectl.getJson('pod', pod)).toBeUndefined();
  });

  test('unlike the plain one, whose build ends with the advice to make a Kairos image of it', async () => {
    const plain = artifact('stranger', {
      image: { ref: registry.ref('system:1'), ...known() },
      artifacts: { iso: true },
    });
    /* An earlier operator left this on its objects. */
    const finalizers = ['build.kairos.io/osbuilder-finalizer'];
    await it.kubectl.apply({ ...plain, metadata: { ...plain.metadata, finalizers } });
    const { phase, message } = await ended('stranger');
    expect(phase).toBe('Error');
    expect(message).toContain('it is not a Kairos image. Name it in baseImageName');
  });
});
