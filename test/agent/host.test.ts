/** The real host, on a folder that stands for its root. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Host, realHost } from '../../agent/host.js';
import { resolveIn } from '../../agent/host-path.js';
import { findStateDir } from '../../agent/state-dir.js';
import { realClock } from '../../program/clock.js';
import { fakeHost } from '../fakes/host.js';

let outside: string;
let root: string;
let host: Host;
const at = (path: string) => join(root, path);

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'host-'));
  root = join(outside, 'root');
  for (const dir of ['etc', 'usr/lib', 'usr/local']) mkdirSync(at(dir), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'of the agent');
  host = realHost(root, realClock);
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

describe('links are followed as the host would', () => {
  beforeEach(() => writeFileSync(at('usr/lib/os-release'), 'ID=kairos'));
  test.each([
    ['a relative one', '../usr/lib/os-release'],
    ['an absolute one, from the root of the host', '/usr/lib/os-release'],
    ['more steps up than there are', '../../../../usr/lib/os-release'],
  ])('%s', async (_sentence, target) => {
    symlinkSync(target, at('etc/os-release'));
    expect(await host.read('/etc/os-release')).toBe('ID=kairos');
  });
  test('a folder that is a link', async () => {
    symlinkSync('/usr', at('sysroot'));
    expect(await host.read('/sysroot/lib/os-release')).toBe('ID=kairos');
  });
  test.each(['../../secret', '../secret', '/secret'])('none leads out of the root: %s', async target => {
    symlinkSync(target, at('etc/os-release'));
    expect(await resolveIn(root, '/etc/os-release')).toBe(at('secret'));
    expect(await host.read('/etc/os-release')).toBeUndefined();
  });
  test('the path of the mount itself is not a way out', async () => {
    symlinkSync(join(outside, 'secret'), at('etc/os-release'));
    expect(await host.read('/etc/os-release')).toBeUndefined();
  });
  test('a circle ends', async () => {
    symlinkSync('b', at('etc/a'));
    symlinkSync('a', at('etc/b'));
    await expect(host.read('/etc/a')).rejects.toThrow('too many symbolic links');
  });
});

describe('reading', () => {
  test('what is not there is absent', async () => {
    expect(await host.read('/etc/nothing')).toBeUndefined();
    expect(await host.read('/nowhere/nothing')).toBeUndefined();
    expect(await host.list('/nowhere')).toEqual([]);
    expect(await host.hasDir('/nowhere')).toBe(false);
  });
  test('a folder in the place of a file is an error, not an empty text', async () => {
    await expect(host.read('/etc')).rejects.toThrow('not a regular file');
  });
  test('what is far too large is not read', async () => {
    writeFileSync(at('etc/big'), Buffer.alloc(1024 * 1024 + 1));
    await expect(host.read('/etc/big')).rejects.toThrow('larger');
  });
  test('the boot entry is decoded', async () => {
    expect(await host.loaderEntry()).toBeUndefined();
    const dir = at('sys/firmware/efi/efivars');
    mkdirSync(dir, { recursive: true });
    const file = 'LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
    writeFileSync(join(dir, file), Buffer.from('\u0007\0\0\0p\0a\0s\0s\0\0\0', 'latin1'));
    expect(await host.loaderEntry()).toBe('pass');
  });
  test('the machine tells its boot id, its start, its first process', async () => {
    expect(await host.bootId()).toMatch(/^[0-9a-f-]{36}$/);
    expect((await host.bootedAt()).getTime()).toBeLessThan(Date.now());
    expect(await host.cmdline()).toEqual(expect.any(String));
    expect(await host.initName()).not.toBe('');
  });
});

describe('writing', () => {
  test('makes the folder, replaces the whole text, leaves nothing beside it', async () => {
    await host.write('/usr/local/.kairos/journal.json', 'long long text');
    await host.write('/usr/local/.kairos/journal.json', 'new');
    expect(readFileSync(at('usr/local/.kairos/journal.json'), 'utf8')).toBe('new');
    expect(readdirSync(at('usr/local/.kairos'))).toEqual(['journal.json']);
  });
  test('removing twice is no error', async () => {
    await host.write('/etc/x', '1');
    await host.remove('/etc/x');
    await host.remove('/etc/x');
    expect(await host.read('/etc/x')).toBeUndefined();
  });
  test('a watch tells of a new name', async () => {
    const stop = new AbortController();
    const told = new Promise<string | undefined>((resolve, reject) => {
      host.watch('/etc', resolve, stop.signal).then(() => writeFileSync(at('etc/kairos-release'), 'x'), reject);
    });
    expect(await told).toBe('kairos-release');
    stop.abort();
  });
});

describe('where the state lives', () => {
  test('in the folder of Kairos', async () => {
    expect(await findStateDir(host)).toEqual({ stateDir: '/usr/local/.kairos', writable: true });
    expect(readdirSync(at('usr/local'))).toEqual(['.kairos']);
  });
  test('elsewhere when there is no /usr/local', async () => {
    rmSync(at('usr/local'), { recursive: true });
    expect(await findStateDir(host)).toEqual({ stateDir: '/var/lib/kairos-operator', writable: true });
  });
  test('elsewhere when it cannot be written', async () => {
    const sealed = fakeHost();
    sealed.set({ readOnly: ['/usr'] });
    expect(await findStateDir(sealed)).toEqual({ stateDir: '/var/lib/kairos-operator', writable: true });
  });
  test('where it was before, on a host that cannot be written to at all', async () => {
    const sealed = fakeHost();
    sealed.set({ readOnly: ['/'] });
    expect(await findStateDir(sealed)).toEqual({ stateDir: '/usr/local/.kairos', writable: false });
  });
});
