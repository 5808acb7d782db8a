/** The journal on real disks that cannot be written: a full one, and one that became read-only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { ensurePackages } from './packages.js';
import { repository } from './places.js';
import { mustRun } from './run-command.js';

/** The source of a program that runs in its own mount namespace, with the root of its host on a disk of 64 KiB at `disk`. */
const programFor = (disk: string) => `
  import { execFileSync } from 'node:child_process';
  import { writeFileSync } from 'node:fs';
  import { realHost } from './agent/host.js';
  import { Journal } from './agent/journal.js';
  import { findStateDir } from './agent/state-dir.js';
  const disk = ${JSON.stringify(disk)};
  const host = realHost(disk, { now: () => new Date() });
  const entry = id => ({ id, jobName: 'j', bootId: 'b', notAfter: 'n', state: 'Rebooting', message: 'x'.repeat(8000) });
  const outcome = promise => promise.then(() => 'done', error => error.code);
  async function main() {
    const results = [];
    const { stateDir } = await findStateDir(host);
    const { journal } = await Journal.open(host, stateDir);
    results.push(await outcome(journal.write(entry('first'))));
    try { writeFileSync(disk + '/filler', Buffer.alloc(100_000)); } catch {}
    results.push(await outcome(journal.write(entry('second'))), journal.entry('second') === undefined);
    const reopened = await Journal.open(host, stateDir);
    results.push(reopened.damage, reopened.journal.entry('first')?.id);
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    results.push(await outcome(reopened.journal.write(entry('third'))), (await findStateDir(host)).writable);
    execFileSync('mount', ['-o', 'remount,rw', disk]);
    execFileSync('rm', [disk + '/filler']);
    results.push(await outcome(reopened.journal.write(entry('fourth'))), (await Journal.open(host, stateDir)).journal.entry('fourth')?.id);
    console.log(JSON.stringify(results.map(result => result ?? 'nothing')));
  }
  void main();`;

test('a failed write of the journal is an error, keeps the old entries, and is followed by a successful one once there is space', async () => {
  await ensurePackages(['unshare'], () => undefined);
  const folder = mkdtempSync(join(tmpdir(), 'agent-disk-'));
  try {
    const stdin = { resolveDir: repository, contents: programFor(folder) };
    const bundle = { bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'error' } as const;
    const [program] = (await build({ stdin, ...bundle })).outputFiles;
    const script = 'mount -t tmpfs -o size=64k tmpfs "$1" && mkdir -p "$1/usr/local" && exec "$2" -e "$3"';
    const args = [folder, process.execPath, program?.text ?? ''];
    const results: unknown = JSON.parse(await mustRun('unshare', ['-m', 'sh', '-c', script, 'sh', ...args]));
    const full = ['ENOSPC', true, 'nothing', 'first'];
    expect(results).toEqual(['done', ...full, 'EROFS', false, 'done', 'fourth']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
