/** Release files in the forms that occur in practice, read from a real disk. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { observe } from '../../agent/observe.js';
import { realHost } from '../../agent/host.js';
import { nodePatch } from '../../agent/labels.js';
import { realClock } from '../../program/clock.js';

let outside: string;
let root: string;
const at = (path: string) => join(root, path);
const kairos = () => at('etc/kairos-release');

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'facts-'));
  root = join(outside, 'root');
  for (const dir of ['etc', 'usr/lib']) mkdirSync(at(dir), { recursive: true });
  writeFileSync(at('etc/os-release'), 'ID=debian\n');
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

const observeHost = () => observe(realHost(root, realClock));

describe('a release file', () => {
  test.each<[string, string | Buffer, Record<string, string>]>([
    ['plain values', 'KAIROS_VERSION=v3.5.0\n', { VERSION: 'v3.5.0' }],
    ['double quotes', 'KAIROS_VERSION="v3.5.0"\n', { VERSION: 'v3.5.0' }],
    ['single quotes', "KAIROS_VERSION='v3.5.0'\n", { VERSION: 'v3.5.0' }],
    ['with export', 'export KAIROS_VERSION="v3.5.0"\n', { VERSION: 'v3.5.0' }],
    ['with comments', '# one\nKAIROS_VERSION=v3.5.0 # two\n#KAIROS_ID=x\n', { VERSION: 'v3.5.0' }],
    ['Windows line ends', 'KAIROS_VERSION="v3.5.0"\r\nKAIROS_ID=kairos\r\n', { VERSION: 'v3.5.0', ID: 'kairos' }],
    ['no newline at the end', 'KAIROS_VERSION=v3.5.0', { VERSION: 'v3.5.0' }],
    ['UTF-8', 'KAIROS_NAME="Größe ≥ 3"\n', { NAME: 'Größe ≥ 3' }],
    ['a byte order mark', '\uFEFFKAIROS_VERSION=v3.5.0\n', { VERSION: 'v3.5.0' }],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('KAIROS_NAME="a'), Buffer.from([0xff, 0xfe]), Buffer.from('b"\nKAIROS_ID=k\n')]),
      { NAME: 'a\uFFFD\uFFFDb', ID: 'k' },
    ],
    ['zero bytes', 'KAIROS_VERSION=v3.5.0\n\0\0\0\0', { VERSION: 'v3.5.0' }],
    ['a value that is too long', `KAIROS_NAME=${'x'.repeat(5000)}\nKAIROS_ID=k\n`, { ID: 'k' }],
    ['a large file below the limit', `${'# padding\n'.repeat(100_000)}KAIROS_ID=k\n`, { ID: 'k' }],
  ])('is parsed with %s', async (_sentence, text, fields) => {
    writeFileSync(kairos(), text);
    const { facts, readErrors } = await observeHost();
    expect(facts.identity).toEqual({ from: 'kairos-release', fields });
    expect(readErrors).toEqual([]);
  });

  test.each([
    ['is empty', ''],
    ['has only white space', ' \n\r\n\t'],
    ['has no Kairos keys', 'VERSION=1\n'],
  ])('does not count when it %s: os-release decides', async (_sentence, text) => {
    writeFileSync(kairos(), text);
    expect((await observeHost()).facts).not.toHaveProperty('identity');
    writeFileSync(at('etc/os-release'), 'ID="kairos"\n');
    expect((await observeHost()).facts.identity?.from).toBe('os-release');
  });

  test('is followed as a link within the host, and never out of it', async () => {
    writeFileSync(at('usr/lib/kairos-release'), 'KAIROS_ID=k\n');
    symlinkSync('/usr/lib/kairos-release', kairos());
    expect((await observeHost()).facts.identity?.fields).toEqual({ ID: 'k' });
    rmSync(kairos());
    writeFileSync(join(outside, 'secret'), 'KAIROS_ID=stolen\n');
    symlinkSync('../../secret', kairos());
    expect((await observeHost()).facts).not.toHaveProperty('identity');
  });
});

describe('a release file that cannot be read', () => {
  test.each<[string, () => void, string]>([
    ['a directory', () => mkdirSync(kairos()), 'not a regular file'],
    ['a pipe', () => void execFileSync('mkfifo', [kairos()]), 'not a regular file'],
    ['a loop of links', () => symlinkSync('kairos-release', kairos()), 'too many symbolic links'],
    ['a file that is too large', () => writeFileSync(kairos(), Buffer.alloc(2 ** 20 + 1)), 'larger than'],
  ])('leaves the identity unknown and is reported: %s', async (_sentence, create, reason) => {
    create();
    const { facts, readErrors } = await observeHost();
    expect(facts).toMatchObject({ identityUnknown: true });
    expect(facts).not.toHaveProperty('identity');
    expect(readErrors).toEqual([{ path: '/etc/kairos-release', message: expect.stringContaining(reason) }]);
  });
});

test('labels are valid for Kubernetes whatever the release file contains', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter(byte => byte !== 10 && byte !== 13));
  const keys = ['ID', 'FLAVOR', 'MODEL', 'ARCH', 'SOFTWARE_VERSION'];
  writeFileSync(
    kairos(),
    Buffer.concat(keys.flatMap(key => [Buffer.from(`KAIROS_${key}=`), bytes, Buffer.from('\n')])),
  );
  const { facts } = await observeHost();
  const { labels } = nodePatch(facts.identity, 'active').metadata;
  expect(Object.values(labels).filter(value => value !== null)).toHaveLength(keys.length + 2);
  for (const value of Object.values(labels))
    expect(value ?? '').toMatch(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/);
});
