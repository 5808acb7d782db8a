/** The stand-in for auroraboot refuses what the real one refuses: else a build here would prove nothing. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from './paths.js';
import { run } from './run-command.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tools-'));
  for (const name of ['root/etc', 'nobody/etc', 'keys', 'half-keys'])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'root/etc/kairos-release'), 'KAIROS_RELEASE="v1"\n');
  writeFileSync(join(folder, 'nobody/etc/os-release'), 'ID=debian\n');
  writeFileSync(join(folder, 'empty.yaml'), '');
  for (const name of ['db.key', 'db.pem', 'tpm.pem', 'db.auth', 'KEK.auth', 'PK.auth'])
    writeFileSync(join(folder, 'keys', name), '');
});

afterAll(() => rmSync(folder, { recursive: true }));

const signing = ['--tpm-pcr-private-key', 'keys/tpm.pem', '--sb-key', 'keys/db.key', '--sb-cert', 'keys/db.pem'];
const uki = (...more: string[]) => ['--debug', 'build-uki', '--public-keys', 'keys', ...signing, ...more];
const disk = (...settings: string[]) =>
  ['container_image=dir:root', 'state_dir=out', ...settings].flatMap(setting => ['--set', setting]);

describe('refused is', () => {
  test.each([
    [
      'a flag that nobody knows',
      ['build-iso', '--colour', 'red', 'dir:root'],
      'flag provided but not defined: -colour',
    ],
    ['a flag of another command', uki('--cloud-config', 'x', 'dir:root'), 'not defined: -cloud-config'],
    ['an architecture for signed images', uki('--arch', 'amd64', 'dir:root'), 'not defined: -arch'],
    ['a command that nobody knows', ['--debug', 'make-coffee'], 'no such file: make-coffee'],
    ['a setting that nobody knows', disk('disk.qcow=true'), 'unknown setting: disk.qcow'],
    ['a setting without a value', disk('disk.raw'), 'Invalid arguments for set'],
    ['a size with a unit', disk('disk.raw=true', 'disk.size=10G'), '10G is no whole number of MiB'],
    ['an empty cloud-config', ['--cloud-config', 'empty.yaml', ...disk('disk.raw=true')], 'contents are empty'],
    ['a cloud-config that is not there', ['build-iso', '--cloud-config', 'none', 'dir:root'], "file 'none' not found"],
    ['a folder to lay over that is not there', ['build-iso', '--overlay-iso', 'none', 'dir:root'], 'no folder none'],
    ['no source', ['build-iso', '--date=false'], 'no source defined'],
    ['another architecture', ['build-iso', '--arch', 'mips', 'dir:root'], "invalid architecture 'mips'"],
    ['files for the network without a name', ['netboot', 'x.iso', '/out'], 'output-artifact-prefix is required'],
    ['a medium that is not there', ['netboot', 'x.iso', '/out', 'x'], 'no such file: x.iso'],
    ['an image without a place to unpack it', ['unpack', 'image'], 'requires <image> and <destination>'],
    ['an output that nobody knows', uki('--output-type', 'efi', 'dir:root'), 'invalid output type: efi'],
    ['media files without a medium', uki('--overlay-iso', 'keys', 'dir:root'), 'only supported for iso'],
    ['keys that are not all there', [...uki('--public-keys', 'half-keys'), 'dir:root'], 'required file: PK.auth'],
    ['no key to sign with', ['build-uki', 'dir:root'], '"tpm-pcr-private-key" not set'],
    ['a system that is not Kairos', uki('--output-dir', 'keys', 'dir:nobody'), 'KAIROS_RELEASE in os-release: 0'],
    ['a folder to write to that is not there', uki('--output-dir', 'none', 'dir:root'), 'no such folder: none'],
  ])('%s', async (_sentence, command, words) => {
    const program = join(repository, 'test/cluster/artifact-tools/auroraboot');
    const { code, stderr } = await run('bash', [program, ...command], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(words) });
  });
});
