/** The stand-in for auroraboot rejects what the real one rejects: otherwise a build in the tests would prove nothing. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from './paths.js';
import { run } from './run-command.js';

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
  ])('rejects %s', async (_title, command, message) => {
    const program = join(repository, 'test/cluster/artifact-tools/auroraboot');
    const { code, stderr } = await run('bash', [program, ...command], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });
});
