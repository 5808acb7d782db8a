/** Where the harness keeps things: what is dear to make in the cache, what belongs to one cluster in its run folder, what tells of live processes in the state folder. */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Scripts and settings that run inside the nodes. */
export const nodeFiles = fileURLToPath(new URL('./node', import.meta.url)).replace(/\/$/, '');

/** The cache that outlives runs and checkouts. */
export function cacheFolder(): string {
  return made(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kairos-operator'));
}

/** Logs, certificates and node disks of the cluster of that name. An overlay cannot carry another overlay's upper layer, so such a checkout lends the cache instead. */
export function runFolder(name: string): string {
  const inCheckout = join(repository, '.run');
  mkdirSync(inCheckout, { recursive: true });
  const kind = execFileSync('stat', ['--file-system', '--format=%T', inCheckout], { encoding: 'utf8' }).trim();
  const suitable = kind !== 'overlayfs' && kind !== 'fuseblk' && kind !== 'nfs';
  return made(join(suitable ? inCheckout : join(cacheFolder(), 'run'), name));
}

/** Process records and control files. One place for the whole machine, so that a run from another checkout is found too. */
export function stateFolder(key: string): string {
  const root = process.getuid?.() === 0 ? '/run' : tmpdir();
  return join(root, 'kairos-operator-test', key);
}

/** A short name for that content. */
export function shortHash(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 12);
}

function made(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
