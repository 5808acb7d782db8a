/** The folders of the harness. The cache keeps what takes long to make, a run folder what belongs to one cluster, and the state folder the records of live processes. */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout. */
export const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Scripts and settings that run inside the nodes. */
export const nodeFiles = fileURLToPath(new URL('./node', import.meta.url)).replace(/\/$/, '');

/** The cache, which runs and checkouts share. */
export function cacheFolder(): string {
  return ensureFolder(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kairos-operator'));
}

/** Logs, certificates and node disks of the named cluster. Node disks are upper layers of overlays, which not every file system supports: in such a checkout they go to the cache. */
export function runFolder(name: string): string {
  const inCheckout = join(repository, '.run');
  mkdirSync(inCheckout, { recursive: true });
  const kind = execFileSync('stat', ['--file-system', '--format=%T', inCheckout], { encoding: 'utf8' }).trim();
  const isSuitable = kind !== 'overlayfs' && kind !== 'fuseblk' && kind !== 'nfs';
  return ensureFolder(join(isSuitable ? inCheckout : join(cacheFolder(), 'run'), name));
}

/** Process records and control files. All checkouts share this folder, so that a cluster started from another checkout is found too. */
export function stateFolder(key: string): string {
  const root = process.getuid?.() === 0 ? '/run' : tmpdir();
  return join(root, 'kairos-operator-test', key);
}

/** A short name that depends on the content only. */
export function shortHash(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 12);
}

function ensureFolder(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
