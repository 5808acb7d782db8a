/** The journal on real disks that cannot be written: a full one, and one that became read-only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { ensurePackages } from './packages.js';
import { repository } from './paths.js';
import { mustRun } from './run-command.js';

/** Mounts a disk of 64 KiB at $1 and runs the program $3 with Node ($2) on it. */
const ON_SMALL_DISK = 'mount -t tmpfs -o size=64k tmpfs "$1" && mkdir -p "$1/usr/local" && exec "$2" -e "$3" "$1"';

test('a failed write of the journal keeps the old entries, and a later write succeeds once there is space', async () => {
  await ensurePackages(['unshare'], () => undefined);
  const disk = mkdtempSync(join(tmpdir(), 'agent-disk-'));
  try {
    const entryPoints = [join(repository, 'test/cluster/agent-disk-program.ts')];
    const options = { bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'error' } as const;
    const [program] = (await build({ entryPoints, ...options })).outputFiles;
    const args = [disk, process.execPath, program?.text ?? ''];
    const results: unknown = JSON.parse(await mustRun('unshare', ['-m', 'sh', '-c', ON_SMALL_DISK, 'sh', ...args]));
    expect(results).toEqual({
      first: 'done',
      full: { write: 'ENOSPC', hasEntry: false, isDamaged: false, keepsFirst: true },
      readOnly: { write: 'EROFS', isWritable: false },
      freed: { write: 'done', hasEntry: true },
    });
  } finally {
    rmSync(disk, { recursive: true, force: true });
  }
});
