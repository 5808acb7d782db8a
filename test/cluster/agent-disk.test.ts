/** The journal on real disks that take nothing: a full one, and one that became read-only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { ensurePackages } from './packages.js';
import { repository } from './places.js';
import { mustRun } from './run-command.js';

/** Runs in a mount namespace of its own, with the root of its host on a disk of 64 KiB at `disk`. */
const story = (disk: string) => `
  import { execFileSync } from 'node:child_process';
  import { writeFileSync } from 'node:fs';
  import { realHost } from './agent/host.js';
  import { Journal } from './agent/journal.js';
  import { findStateDir } from './agent/state-dir.js';
  const disk = ${JSON.stringify(disk)};
  const host = realHost(disk, { now: () => new Date() });
  const entry = id => ({ id, jobName: 'j', bootId: 'b', notAfter: 'n', state: 'Rebooting', message: 'x'.repeat(8000) });
  const attempt = doing => doing.then(() => 'done', error => error.code);
  async function play() {
    const told = [];
    const { stateDir } = await findStateDir(host);
    const { journal } = await Journal.open(host, stateDir);
    told.push(await attempt(journal.keep(entry('first'))));
    try { writeFileSync(disk + '/filler', Buffer.alloc(100_000)); } catch {}
    told.push(await attempt(journal.keep(entry('second'))), journal.entry('second') === undefined);
    const again = await Journal.open(host, stateDir);
    told.push(again.damaged, again.journal.entry('first')?.id);
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    told.push(await attempt(again.journal.keep(entry('third'))), (await findStateDir(host)).writable);
    execFileSync('mount', ['-o', 'remount,rw', disk]);
    execFileSync('rm', [disk + '/filler']);
    told.push(await attempt(again.journal.keep(entry('fourth'))), (await Journal.open(host, stateDir)).journal.entry('fourth')?.id);
    console.log(JSON.stringify(told.map(one => one ?? 'nothing')));
  }
  void play();`;

test('what it does not take is an error, what stood there before stays whole, and it goes on when there is room again', async () => {
  await ensurePackages(['unshare'], () => undefined);
  const folder = mkdtempSync(join(tmpdir(), 'agent-disk-'));
  try {
    const stdin = { resolveDir: repository, contents: story(folder) };
    const bundle = { bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'error' } as const;
    const [program] = (await build({ stdin, ...bundle })).outputFiles;
    const script = 'mount -t tmpfs -o size=64k tmpfs "$1" && mkdir -p "$1/usr/local" && exec "$2" -e "$3"';
    const args = [folder, process.execPath, program?.text ?? ''];
    const told: unknown = JSON.parse(await mustRun('unshare', ['-m', 'sh', '-c', script, 'sh', ...args]));
    const full = ['ENOSPC', true, 'nothing', 'first'];
    expect(told).toEqual(['done', ...full, 'EROFS', false, 'done', 'fourth']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
