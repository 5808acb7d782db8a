/** A path of the host → where it lies below our mount of the host's root. */
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from './errno.js';

/** As in the kernel: a longer chain is a circle. */
const MOST_LINKS = 40;

/**
 * Follows links as the host itself would: an absolute one begins at its root, `..` ends there. So no link leads out of the mount
 * into the agent's own file system. The last name may be one that does not exist yet.
 */
export async function resolveIn(root: string, path: string): Promise<string> {
  let todo = path.split('/');
  let done: string[] = [];
  let links = 0;
  while (todo.length > 0) {
    const [name = '', ...rest] = todo;
    todo = rest;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const target = await linkTarget(join(root, ...done, name));
    if (target === undefined) {
      done = [...done, name];
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) throw new Error(`${path}: too many symbolic links`);
    if (target.startsWith('/')) done = [];
    todo = [...target.split('/'), ...todo];
  }
  return join(root, ...done);
}

/** Undefined: not a link, or nothing there. */
async function linkTarget(file: string): Promise<string | undefined> {
  try {
    return await readlink(file);
  } catch (error) {
    if (hasErrno(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
