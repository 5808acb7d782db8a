/** Release files in every form that is met in the field, on a real disk: what the agent makes of them. */
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

const look = () => observe(realHost(root, realClock));

describe('what is read, and what comes of it', () => {
  test.each<[string, string | Buffer, Record<string, string>]>([
    ['plain', 'KAIROS_VERSION=v3.5.0\n', { VERSION: 'v3.5.0' }],
    ['double quotes', 'KAIROS_VERSION="v3.5.0"\n', { VERSION: 'v3.5.0' }],
    ['single quotes', "KAIROS_VERSION='v3.5.0'\n", { VERSION: 'v3.5.0' }],
    ['with export', 'export KAIROS_VERSION="v3.5.0"\n', { VERSION: 'v3.5.0' }],
    ['with comments', '# one\nKAIROS_VERSION=v3.5.0 # two\n#KAIROS_ID=x\n', { VERSION: 'v3.5.0' }],
    ['line ends of Windows', 'KAIROS_VERSION="v3.5.0"\r\nKAIROS_ID=kairos\r\n', { VERSION: 'v3.5.0', ID: 'kairos' }],
    ['no newline at the end', 'KAIROS_VERSION=v3.5.0', { VERSION: 'v3.5.0' }],
    ['UTF-8', 'KAIROS_NAME="Größe ≥ 3"\n', { NAME: 'Größe ≥ 3' }],
    ['a byte order mark', '\uFEFFKAIROS_VERSION=v3.5.0\n', { VERSION: 'v3.5.0' }],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from('KAIROS_NAME="a'), Buffer.from([0xff, 0xfe]), Buffer.from('b"\nKAIROS_ID=k\n')]),
      { NAME: 'a\uFFFD\uFFFDb', ID: 'k' },
    ],
    ['zero bytes', 'KAIROS_VERSION=v3.5.0\n\0\0\0\0', { VERSION: 'v3.5.0' }],
    ['a value that is far too long', `KAIROS_NAME=${'x'.repeat(5000)}\nKAIROS_ID=k\n`, { ID: 'k' }],
    ['large, as it may be', `${'# padding\n'.repeat(100_000)}KAIROS_ID=k\n`, { ID: 'k' }],
  ])('%s', async (_sentence, text, fields) => {
    writeFileSync(kairos(), text);
    const { facts, faults } = await look();
    expect(facts.identity).toEqual({ from: 'kairos-release', fields });
    expect(faults).toEqual([]);
  });

  test.each([
    ['empty', ''],
    ['white space', ' \n\r\n\t'],
    ['of somebody else', 'VERSION=1\n'],
  ])('%s says nothing: os-release is heard', async (_sentence, text) => {
    writeFileSync(kairos(), text);
    expect((await look()).facts).not.toHaveProperty('identity');
    writeFileSync(at('etc/os-release'), 'ID="kairos"\n');
    expect((await look()).facts.identity?.from).toBe('os-release');
  });

  test('a link within the host is followed, one that leads out of it finds nothing', async () => {
    writeFileSync(at('usr/lib/kairos-release'), 'KAIROS_ID=k\n');
    symlinkSync('/usr/lib/kairos-release', kairos());
    expect((await look()).facts.identity?.fields).toEqual({ ID: 'k' });
    rmSync(kairos());
    writeFileSync(join(outside, 'secret'), 'KAIROS_ID=stolen\n');
    symlinkSync('../../secret', kairos());
    expect((await look()).facts).not.toHaveProperty('identity');
  });
});

describe('what cannot be read takes nothing back, and is named', () => {
  test.each<[string, () => void, string]>([
    ['a folder', () => mkdirSync(kairos()), 'not a regular file'],
    ['a pipe', () => void execFileSync('mkfifo', [kairos()]), 'not a regular file'],
    ['a circle of links', () => symlinkSync('kairos-release', kairos()), 'too many symbolic links'],
    ['a giant', () => writeFileSync(kairos(), Buffer.alloc(2 ** 20 + 1)), 'larger than'],
  ])('%s in its place', async (_sentence, make, why) => {
    make();
    const { facts, faults } = await look();
    expect(facts).toMatchObject({ unsure: true });
    expect(facts).not.toHaveProperty('identity');
    expect(faults).toEqual([{ path: '/etc/kairos-release', why: expect.stringContaining(why) }]);
  });
});

test('whatever stands in the file, labels are such as Kubernetes takes', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter(byte => byte !== 10 && byte !== 13));
  const keys = ['ID', 'FLAVOR', 'MODEL', 'ARCH', 'SOFTWARE_VERSION'];
  writeFileSync(
    kairos(),
    Buffer.concat(keys.flatMap(key => [Buffer.from(`KAIROS_${key}=`), bytes, Buffer.from('\n')])),
  );
  const { facts } = await look();
  const { labels } = nodePatch(facts.identity, 'active').metadata;
  expect(Object.values(labels).filter(value => value !== null)).toHaveLength(keys.length + 2);
  for (const value of Object.values(labels))
    expect(value ?? '').toMatch(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/);
});
