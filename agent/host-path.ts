/** Maps a path of the host to the place below the agent's mount of the host's root. */
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from './errno.js';

/** The limit of the kernel (path_resolution(7)): a longer chain counts as a loop. */
const MAX_LINKS = 40;

/**
 * Resolves symbolic links as the host itself would: an absolute link starts at the root of the host, and `..` stops there. No link can
 * therefore lead out of the mount into the agent's own file system. The last component need not exist.
 *
 * Throws when the path contains more than 40 symbolic links.
 */
export async function resolveInRoot(root: string, path: string): Promise<string> {
  let pending = path.split('/');
  let resolved: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const [name = '', ...rest] = pending;
    pending = rest;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      resolved = resolved.slice(0, -1);
      continue;
    }
    const target = await linkTarget(join(root, ...resolved, name));
    if (target === undefined) {
      resolved = [...resolved, name];
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new Error(`${path}: too many symbolic links`);
    if (target.startsWith('/')) resolved = [];
    pending = [...target.split('/'), ...pending];
  }
  return join(root, ...resolved);
}

/** Undefined when the file is not a link or does not exist. */
async function linkTarget(file: string): Promise<string | undefined> {
  try {
    return await readlink(file);
  } catch (error) {
    if (hasErrno(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
