/** OSArtifacts of every kind, built by the real controller: from an image in a registry, converted into a Kairos system, pushed, booted, and used for another build. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootInEmulator } from '../emulator.js';
import { mustRun } from '../run-command.js';
import {
  AGAIN,
  artifact,
  FILES,
  INSPECT,
  knownKeys,
  inspectionJob,
  MENU,
  newKeys,
  secret,
  type Status,
  STEPS,
} from './artifact-fixtures.js';
import { type ArtifactSetup, artifactSetup, finalStatus, builtFile, exporterLog, LOGIN } from './artifact-setup.js';

jest.setTimeout(1_200_000); // the tools may have to be made first

let setup: ArtifactSetup;
let tools: string;

/** Reference on the port that no tool knows to be without TLS. */
const image = (name: string) => setup.registry.slowRef(name);
const WITH_LOGIN = { imageCredentialsSecretRef: { name: LOGIN }, pullInsecureRegistry: true };
const keyVolume = (name: string) => ({ name: 'keys', secret: { secretName: name } });

beforeAll(async () => {
  setup = await artifactSetup(['edge', 'again', 'stranger', 'foreign']);
  tools = setup.tools;
  await setup.kubectl.apply([
    secret('part', { ociSpec: 'COPY here.txt /etc/here.txt\nRUN echo "{{ .Mark }} in {{ .Where }}" >/etc/mark\n' }),
    secret('values', { Mark: 'not this one', Where: 'the definition' }),
    secret('config', { 'cloud-config.yaml': '#cloud-config\nhostname: edge\n' }),
    secret('known-keys', knownKeys(setup.images.firmware)),
    secret('foreign-keys', newKeys()),
  ]);
});

afterAll(async () => {
  await setup?.stop();
});

describe('a build of every kind of artifact from a plain system and a Dockerfile', () => {
  let status: Status;
  let log: string;

  beforeAll(async () => {
    const [host = ''] = image('').split('/');
    const source = {
      buildOptions: {
        version: 'v9.9.9',
        baseImage: image('system:1'),
        kubernetesDistro: 'k3s',
        kairosInitImage: image('kairos-init:1'),
      },
      ociSpec: {
        ref: { name: 'part' },
        templateValues: { Mark: 'made' },
        templateValuesFrom: { name: 'values' },
        buildContextVolume: 'context',
      },
      buildImage: { registry: host, repository: 'edge', tag: 'v1' },
      push: true,
      pushInsecureRegistry: true,
      ...WITH_LOGIN,
    };
    const bring = 'echo brought >/context/here.txt && echo hello >/media-files/hello.txt';
    const mounts = ['context', 'media-files'].map(name => ({ name, mountPath: `/${name}` }));
    await setup.kubectl.apply(
      artifact('edge', {
        image: source,
        importers: [{ name: 'bring', image: tools, command: ['bash', '-c', bring], volumeMounts: mounts }],
        volumes: [{ name: 'context', emptyDir: {} }, { name: 'media-files', emptyDir: {} }, keyVolume('known-keys')],
        artifacts: {
          iso: true,
          cloudImage: true,
          azureImage: true,
          gceImage: true,
          netboot: true,
          netbootURL: 'http://boot.example',
          uki: { iso: true, container: true, efi: true, keysVolume: 'keys' },
          diskSize: '64',
          cloudConfigRef: { name: 'config' },
          grubConfig: MENU,
          overlayISOVolume: 'media-files',
        },
        exporters: [inspectionJob(tools, INSPECT, [keyVolume('known-keys')], [{ name: 'keys', mountPath: '/keys' }])],
      }),
    );
    status = await finalStatus(setup, 'edge');
    log = status.phase === 'Ready' ? await exporterLog(setup, 'edge') : '';
  });

  test('completes each step and creates each file', () => {
    expect(status).toMatchObject({ phase: 'Ready', message: `built: ${FILES.join(', ')}` });
    expect(status.steps.map(({ name, state }) => `${name} ${state}`)).toEqual(STEPS.map(name => `${name} Done`));
  });

  test('reports the names, sizes and checksums that an exporter finds', () => {
    const seen = status.outputs.map(({ name, sha256, size }) => `file ${name} ${sha256} ${size}`);
    const lines = log.split('\n').filter(line => line.startsWith('file ') && !line.includes(' loader/'));
    expect(lines.toSorted()).toEqual(seen.toSorted());
    expect(log).toMatch(/beside them: EFI edge-\S+( edge\S+)* loader \n/);
  });

  test.each([
    ['adds the files of the user to the ISO image', 'on the medium: #cloud-config hostname: edge hello'],
    [
      'uses template, values, context and version for the system',
      'in its system: KAIROS_VERSION="v9.9.9" KAIROS_RELEASE="v9.9.9" KAIROS_FLAVOR="small" made in the definition brought',
    ],
    [
      'passes the options to kairos-init',
      'kairos-init called with: -l debug -s install --version v9.9.9 -m generic -t false -p k3s|-l debug -s init',
    ],
    ['extracts the files for booting over the network from the ISO image', 'over the network the same'],
    ['adds the cloud-config to the disk', 'on the disk: #cloud-config hostname: edge'],
    ['creates a fixed VHD of whole MiB', 'for Azure: "virtual-size": 67108864, conectix'],
    ['creates a tarball with a disk.raw of whole GiB', 'for Google: 1073741824 disk.raw'],
    ['signs the kernel image with the key', 'norole.efi: Signature verification OK'],
    ['signs the boot loader with the key', 'BOOTX64.EFI: Signature verification OK'],
    ['adds the keys to enroll', 'to enroll: KEK.auth PK.auth db.auth'],
    ['adds the files of the user to the signed ISO image', 'on the signed medium: #cloud-config hostname: edge hello'],
    ['adds the signed kernel image to the container image', 'in the container: 1'],
  ])('%s', (_title, text) => expect(log).toContain(text));
});

describe('a machine boots', () => {
  const file = (name: string) => builtFile(setup, 'edge', name);
  const firmware = () => ({ folder: setup.images.firmware });
  const isUp = /SYSTEM-IS-UP KAIROS_VERSION="v9\.9\.9" .*made in the definition/;

  test('from the ISO image with a BIOS and the boot menu of the user', async () => {
    const serial = await bootInEmulator({ medium: file('edge.iso') });
    expect(serial).toMatch(isUp);
    expect(serial).toContain('menu=of-the-user');
  });

  test('from the ISO image with UEFI', async () => {
    expect(await bootInEmulator({ medium: file('edge.iso') }, undefined, firmware())).toMatch(isUp);
  });

  test('from the raw disk', async () => {
    expect(await bootInEmulator({ disk: file('edge.raw') })).toMatch(isUp);
  });

  test('from the Azure disk with UEFI', async () => {
    expect(await bootInEmulator({ disk: file('edge.vhd'), format: 'vpc' }, undefined, firmware())).toMatch(isUp);
  });

  test('from the Google disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'google-'));
    try {
      await mustRun('tar', ['-C', folder, '-xSzf', file('edge.gce.tar.gz')]);
      expect(await bootInEmulator({ disk: join(folder, 'disk.raw') })).toMatch(isUp);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('from the signed ISO image with a key that the firmware trusts', async () => {
    const secure = { ...firmware(), secure: true };
    expect(await bootInEmulator({ medium: file('edge-uki.iso') }, isUp, secure)).toMatch(isUp);
  });

  /** Boots from an EFI partition with the built boot loader and kernel image. */
  async function bootedTree(name: string): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'tree-'));
    try {
      for (const part of ['EFI', 'loader'])
        cpSync(builtFile(setup, name, part), join(folder, part), { recursive: true });
      const secure = { ...firmware(), secure: true };
      return await bootInEmulator({ tree: folder }, /SYSTEM-IS-UP|Access Denied|Security Violation/, secure);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('from the signed EFI files', async () => {
    expect(await bootedTree('edge')).toMatch(isUp);
  });

  test('never from files that are signed with an untrusted key', async () => {
    await setup.kubectl.apply(
      artifact('foreign', {
        image: { ref: image('edge:v1'), ...WITH_LOGIN },
        artifacts: { uki: { efi: true, keysVolume: 'keys' } },
        volumes: [keyVolume('foreign-keys')],
      }),
    );
    expect(await finalStatus(setup, 'foreign')).toMatchObject({ phase: 'Ready' });
    const serial = await bootedTree('foreign');
    expect(serial).toMatch(/Access Denied|Security Violation/);
    expect(serial).not.toContain('SYSTEM-IS-UP');
  });
});

describe('a pushed image', () => {
  test('can be built from, with bundles and release files', async () => {
    await setup.kubectl.apply(
      artifact('again', {
        image: { ref: image('edge:v1'), ...WITH_LOGIN },
        artifacts: {
          iso: true,
          bundles: [image('bundle:1')],
          osRelease: 'ID=ours\nVERSION="2.0"\n',
          kairosRelease: 'KAIROS_VERSION="v1"\nKAIROS_RELEASE="v1"\n',
        },
        nameOverride: { iso: 'medium' },
        exporters: [inspectionJob(tools, AGAIN)],
      }),
    );
    const status = await finalStatus(setup, 'again');
    expect(status).toMatchObject({ phase: 'Ready', message: 'built: again.tar, medium.iso, medium.iso.sha256' });
    const againLog = await exporterLog(setup, 'again');
    expect(againLog).toContain('in its system: KAIROS_VERSION="v1" KAIROS_RELEASE="v1" bundled made in the definition');
    expect(againLog).toContain('VERSION="2.0"');
  });

  test('is built from again when the spec changes', async () => {
    const pod = (await finalStatus(setup, 'again')).pod;
    const data = (await setup.kubectl.getJson('secret', LOGIN))?.['data'] as Record<string, string>;
    const { auths } = JSON.parse(Buffer.from(data['.dockerconfigjson'] ?? '', 'base64').toString()) as {
      auths: object;
    };
    const more = JSON.stringify({ auths: { ...auths, 'registry.example': { auth: 'eDp5' } } });
    await setup.kubectl.apply(secret('more-logins', { '.dockerconfigjson': more }));
    const credentials = { imageCredentialsSecretRef: { name: 'more-logins' } };
    const change = { spec: { image: credentials, artifacts: { osRelease: '3.0' } } };
    await setup.kubectl.do(['patch', 'osartifact', 'again', '--type=merge', '-p', JSON.stringify(change)]);
    const isRebuilt = ({ status }: { status?: Record<string, unknown> }) =>
      status?.['phase'] === 'Ready' && status['pod'] !== pod;
    await setup.kubectl.waitForObject(['osartifact', 'again'], isRebuilt, 120);
    expect(await exporterLog(setup, 'again')).toContain('VERSION="3.0"');
    expect(await setup.kubectl.getJson('pod', pod)).toBeUndefined();
  });

  test('must be a Kairos image: a plain one fails with the advice to convert it', async () => {
    const plain = artifact('stranger', {
      image: { ref: image('system:1'), ...WITH_LOGIN },
      artifacts: { iso: true },
    });
    /* The Go operator left this finalizer on its objects. */
    const finalizers = ['build.kairos.io/osbuilder-finalizer'];
    await setup.kubectl.apply({ ...plain, metadata: { ...plain.metadata, finalizers } });
    const { phase, message } = await finalStatus(setup, 'stranger');
    expect(phase).toBe('Error');
    expect(message).toContain('it is not a Kairos image. Name it in baseImageName');
  });
});
