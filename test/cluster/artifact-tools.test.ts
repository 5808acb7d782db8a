/** The stand-ins for auroraboot, luet and kairos-init reject what the real ones reject: otherwise a build in the tests would prove nothing. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from './paths.js';
import { run } from './run-command.js';
import { KAIROS_INIT, OLD_KAIROS_INIT } from './stories/artifact-fixtures.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tools-'));
  for (const name of ['root/etc', 'plain/etc', 'keys', 'half-keys']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'root/etc/kairos-release'), 'KAIROS_RELEASE="v1"\n');
  writeFileSync(join(folder, 'plain/etc/os-release'), 'ID=debian\n');
  writeFileSync(join(folder, 'empty.yaml'), '');
  for (const name of ['db.key', 'db.pem', 'tpm.pem', 'db.auth', 'KEK.auth', 'PK.auth'])
    writeFileSync(join(folder, 'keys', name), '');
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The program with its files in the folder of the test. */
const relocated = (program: string) => program.replaceAll('/etc/', `${folder}/root/etc/`);

const signing = ['--tpm-pcr-private-key', 'keys/tpm.pem', '--sb-key', 'keys/db.key', '--sb-cert', 'keys/db.pem'];
const uki = (...more: string[]) => ['--debug', 'build-uki', '--public-keys', 'keys', ...signing, ...more];
const disk = (...settings: string[]) =>
  ['container_image=dir:root', 'state_dir=out', ...settings].flatMap(setting => ['--set', setting]);

describe('the stand-in for auroraboot', () => {
  test.each([
    ['an unknown flag', ['build-iso', '--colour', 'red', 'dir:root'], 'flag provided but not defined: -colour'],
    ['a flag of another command', uki('--cloud-config', 'x', 'dir:root'), 'not defined: -cloud-config'],
    ['an architecture for signed images', uki('--arch', 'amd64', 'dir:root'), 'not defined: -arch'],
    ['an unknown command', ['--debug', 'make-coffee'], 'no such file: make-coffee'],
    ['an unknown setting', disk('disk.qcow=true'), 'unknown setting: disk.qcow'],
    ['a setting without a value', disk('disk.raw'), 'Invalid arguments for set'],
    ['a size with a unit', disk('disk.raw=true', 'disk.size=10G'), '10G is no whole number of MiB'],
    ['an empty cloud-config', ['--cloud-config', 'empty.yaml', ...disk('disk.raw=true')], 'contents are empty'],
    ['a missing cloud-config', ['build-iso', '--cloud-config', 'none', 'dir:root'], "file 'none' not found"],
    ['a missing overlay folder', ['build-iso', '--overlay-iso', 'none', 'dir:root'], 'no folder none'],
    ['a missing source', ['build-iso', '--date=false'], 'no source defined'],
    ['an unknown architecture', ['build-iso', '--arch', 'mips', 'dir:root'], "invalid architecture 'mips'"],
    ['netboot files without a name', ['netboot', 'x.iso', '/out'], 'output-artifact-prefix is required'],
    ['a missing ISO image', ['netboot', 'x.iso', '/out', 'x'], 'no such file: x.iso'],
    ['an image without a destination', ['unpack', 'image'], 'requires <image> and <destination>'],
    ['an unknown output type', uki('--output-type', 'efi', 'dir:root'), 'invalid output type: efi'],
    ['an ISO overlay for another output type', uki('--overlay-iso', 'keys', 'dir:root'), 'only supported for iso'],
    ['an incomplete key folder', [...uki('--public-keys', 'half-keys'), 'dir:root'], 'required file: PK.auth'],
    ['a missing signing key', ['build-uki', 'dir:root'], '"tpm-pcr-private-key" not set'],
    ['a system that is not Kairos', uki('--output-dir', 'keys', 'dir:plain'), 'KAIROS_RELEASE in os-release: 0'],
    ['a missing output folder', uki('--output-dir', 'none', 'dir:root'), 'no such folder: none'],
    [
      'a registry with an IP address, which is no URL',
      ['unpack', '192.168.1.5:5000/os/edge:v1', 'to'],
      'first path segment in URL cannot contain colon',
    ],
    [
      'a registry with an underscore, which is no URL',
      ['unpack', 'my_registry:5000/os/edge:v1', 'to'],
      'first path segment in URL cannot contain colon',
    ],
    [
      'a scheme before a scheme',
      ['unpack', 'oci:docker:quay.io/kairos/ubuntu:v1', 'to'],
      'invalid image reference docker:quay.io/kairos/ubuntu:v1',
    ],
    ['a repository in upper case', ['unpack', 'oci:quay.io/Kairos/ubuntu:v1', 'to'], 'invalid image reference'],
  ])('rejects %s', async (_title, command, message) => {
    const program = join(repository, 'test/cluster/artifact-tools/auroraboot');
    const { code, stderr } = await run('bash', [program, ...command], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });
});

describe('the stand-in for luet', () => {
  test.each(['docker:quay.io/kairos/ubuntu:v1', 'quay.io/Kairos/ubuntu:v1'])(
    'rejects the name %s for an image',
    async name => {
      const program = join(repository, 'test/cluster/artifact-tools/luet');
      const { code, stderr } = await run('bash', [program, 'util', 'pack', name, 'layer.tar', 'os.tar'], {
        cwd: folder,
      });
      expect({ code, stderr }).toEqual({ code: 1, stderr: `could not parse reference: ${name}\n` });
    },
  );
});

describe('the stand-in for kairos-init', () => {
  const version = ['--version', 'v1.2.3'];
  test.each([
    ['the flag of another generation', KAIROS_INIT, [...version, '-k', 'k3s'], 'unknown shorthand flag: -k'],
    ['the flag of another generation', KAIROS_INIT, [...version, '--k8sversion', 'v1'], 'unknown flag: --k8sversion'],
    ['the flag of another generation', OLD_KAIROS_INIT, [...version, '-p', 'k3s'], 'unknown shorthand flag: -p'],
    [
      'a version for another provider',
      KAIROS_INIT,
      [...version, '-p', 'k0s', '--provider-k3s-version', 'v1'],
      'unknown flag: --provider-k3s-version',
    ],
    ['no version', KAIROS_INIT, ['-s', 'init'], 'required flag(s) "version" not set'],
    ['a version that is not semantic', KAIROS_INIT, ['--version', 'latest'], 'malformed version: latest'],
    ['an unknown stage', KAIROS_INIT, [...version, '-s', 'first'], 'first is not included in init install all'],
  ])('rejects %s', async (_title, program, command, message) => {
    const { code, stderr } = await run('sh', ['-c', relocated(program), 'kairos-init', ...command]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });
});
