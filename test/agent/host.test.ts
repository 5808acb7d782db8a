/** The real host, with a temporary directory as its root. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Host, realHost } from '../../agent/host.js';
import { findStateDir, StateDirCheck } from '../../agent/state-dir.js';
import { realClock } from '../../program/clock.js';
import { fakeClock } from '../fakes/clock.js';
import { fakeHost } from '../fakes/host.js';

let outside: string;
let root: string;
let host: Host;
const at = (path: string) => join(root, path);

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'host-'));
  root = join(outside, 'root');
  for (const dir of ['etc', 'usr/lib', 'usr/local']) mkdirSync(at(dir), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'secret of the agent');
  host = realHost(root, realClock);
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

describe('symbolic links on the host', () => {
  beforeEach(() => writeFileSync(at('usr/lib/os-release'), 'ID=kairos'));
  test.each([
    ['a relative target', '../usr/lib/os-release'],
    ['an absolute target, which starts at the root of the host', '/usr/lib/os-release'],
    ['a target with more ".." than directories', '../../../../usr/lib/os-release'],
  ])('are followed: %s', async (_sentence, target) => {
    symlinkSync(target, at('etc/os-release'));
    expect(await host.readLinked('/etc/os-release')).toBe('ID=kairos');
  });
  test('are followed when a directory of the path is one', async () => {
    symlinkSync('/usr', at('sysroot'));
    expect(await host.readLinked('/sysroot/lib/os-release')).toBe('ID=kairos');
  });
  test.each(['../../secret', '../secret', '/secret'])('never lead out of the root: %s', async target => {
    symlinkSync(target, at('etc/os-release'));
    expect(await host.readLinked('/etc/os-release')).toBeUndefined();
    writeFileSync(at('secret'), 'secret of the host');
    expect(await host.readLinked('/etc/os-release')).toBe('secret of the host');
  });
  test('never lead out of the root through the path of the mount', async () => {
    symlinkSync(join(outside, 'secret'), at('etc/os-release'));
    expect(await host.readLinked('/etc/os-release')).toBeUndefined();
  });
  test('are rejected when they form a loop', async () => {
    symlinkSync('b', at('etc/a'));
    symlinkSync('a', at('etc/b'));
    await expect(host.readLinked('/etc/a')).rejects.toThrow('too many symbolic links');
  });
});

describe('reading', () => {
  test('returns nothing for files and directories that do not exist', async () => {
    expect(await host.read('/etc/nothing')).toBeUndefined();
    expect(await host.read('/nowhere/nothing')).toBeUndefined();
    expect(await host.list('/nowhere')).toEqual([]);
    expect(await host.hasDir('/nowhere')).toBe(false);
  });
  test('fails for a directory in place of a file', async () => {
    await expect(host.read('/etc')).rejects.toThrow('not a regular file');
  });
  test('refuses a file that is too large', async () => {
    writeFileSync(at('etc/big'), Buffer.alloc(1024 * 1024 + 1));
    await expect(host.read('/etc/big')).rejects.toThrow('larger');
  });
  test('decodes the boot loader entry', async () => {
    expect(await host.loaderEntry()).toBeUndefined();
    const dir = at('sys/firmware/efi/efivars');
    mkdirSync(dir, { recursive: true });
    const file = 'LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
    writeFileSync(join(dir, file), Buffer.from('\u0007\0\0\0p\0a\0s\0s\0\0\0', 'latin1'));
    expect(await host.loaderEntry()).toBe('pass');
  });
  test('knows from the EFI variables whether the boot loader was started from a partition', async () => {
    const dir = at('sys/firmware/efi/efivars');
    mkdirSync(dir, { recursive: true });
    expect(await host.isStartedFromPartition()).toBeUndefined();
    writeFileSync(join(dir, 'BootCurrent-8be4df61-93ca-11d2-aa0d-00e098032b8c'), 'x');
    expect(await host.isStartedFromPartition()).toBe(false);
    writeFileSync(join(dir, 'LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f'), 'x');
    expect(await host.isStartedFromPartition()).toBe(true);
  });
  test('returns boot id, boot time and init process of the machine', async () => {
    expect(await host.bootId()).toMatch(/^[0-9a-f-]{36}$/);
    expect((await host.bootedAt()).getTime()).toBeLessThan(Date.now());
    expect(await host.cmdline()).toEqual(expect.any(String));
    expect(await host.initName()).not.toBe('');
  });
});

describe('writing', () => {
  test('creates the directory, replaces the whole text and leaves no temporary file', async () => {
    await host.write('/usr/local/.kairos/journal.json', 'long long text');
    await host.write('/usr/local/.kairos/journal.json', 'new');
    expect(readFileSync(at('usr/local/.kairos/journal.json'), 'utf8')).toBe('new');
    expect(readdirSync(at('usr/local/.kairos'))).toEqual(['journal.json']);
  });
  test('ignores the removal of a file that does not exist', async () => {
    await host.write('/etc/x', '1');
    await host.remove('/etc/x');
    await host.remove('/etc/x');
    expect(await host.read('/etc/x')).toBeUndefined();
  });
  test('is reported by a watch of the directory', async () => {
    const stop = new AbortController();
    const change = new Promise<string | undefined>((resolve, reject) => {
      host.watch('/etc', resolve, stop.signal).then(() => writeFileSync(at('etc/kairos-release'), 'x'), reject);
    });
    expect(await change).toBe('kairos-release');
    stop.abort();
  });
});

describe('the check of the state directory', () => {
  test('creates it, writes to it and leaves no file', async () => {
    expect(await host.writeError('/usr/local/.kairos')).toBeUndefined();
    expect(readdirSync(at('usr/local/.kairos'))).toEqual([]);
  });
  test('reports why it cannot be written', async () => {
    writeFileSync(at('usr/local/.kairos'), 'a file in its place');
    expect(await host.writeError('/usr/local/.kairos')).toContain('EEXIST');
  });
  test('is made once per operation while it succeeds, and every 30 s after a failure', async () => {
    const checks: string[] = [];
    let error: string | undefined;
    const clock = fakeClock();
    const counting = { ...fakeHost(), writeError: async (dir: string) => (checks.push(dir), error) };
    const check = new StateDirCheck({ host: counting, stateDir: '/s', clock });
    for (const id of [undefined, undefined, 'a', 'a', undefined, 'a']) await check.error(id);
    expect(checks).toHaveLength(2);
    error = 'ENOSPC';
    expect(await check.error('b')).toBe('ENOSPC');
    await clock.advance(29_999);
    expect(await check.error('b')).toBe('ENOSPC');
    expect(checks).toHaveLength(3);
    error = undefined;
    await clock.advance(1);
    expect(await check.error('b')).toBeUndefined();
  });
});

describe('the state directory', () => {
  test('is the one of Kairos', async () => {
    expect(await findStateDir(host)).toEqual({ stateDir: '/usr/local/.kairos', writable: true });
    expect(readdirSync(at('usr/local'))).toEqual(['.kairos']);
  });
  test('is below /var/lib without /usr/local', async () => {
    rmSync(at('usr/local'), { recursive: true });
    expect(await findStateDir(host)).toEqual({ stateDir: '/var/lib/kairos-operator', writable: true });
  });
  test('is below /var/lib when the one of Kairos is read-only', async () => {
    const readOnlyHost = fakeHost();
    readOnlyHost.set({ readOnly: ['/usr'] });
    expect(await findStateDir(readOnlyHost)).toEqual({ stateDir: '/var/lib/kairos-operator', writable: true });
  });
  test('is the existing one on a host that is entirely read-only', async () => {
    const readOnlyHost = fakeHost();
    readOnlyHost.set({ readOnly: ['/'] });
    expect(await findStateDir(readOnlyHost)).toEqual({ stateDir: '/usr/local/.kairos', writable: false });
  });
});
