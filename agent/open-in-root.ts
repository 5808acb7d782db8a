/**
 * Opens files and directories of the host below the agent's mount of the host's root.
 *
 * Every component of a path is opened from the directory before it, by way of `/proc/self/fd`, since Node.js has no openat(2). What was checked
 * is therefore what is used: renaming or linking a directory meanwhile changes nothing.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readlink } from 'node:fs/promises';
import { hasErrno } from './errno.js';

/** The limit of the kernel (path_resolution(7)): a longer chain counts as a loop. */
const MAX_LINKS = 40;
/** Every directory of the path is held open while it is walked. */
const MAX_DEPTH = 64;

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** O_PATH (open(2)), which Node.js has no name for: the file is not really opened. Opening a device may have effects, such as starting a watchdog. */
const WITHOUT_OPENING = 0o10000000 | constants.O_NOFOLLOW;

export interface OpenOptions {
  /** Whether a link in place of the last component is followed. Links before it always are. */
  followLast: boolean;
  /** `any` can only be examined; to read from it, open `pathOf` it. `newDir` creates the directories that are missing. */
  as: 'any' | 'dir' | 'newDir';
}

/** The path of what is open, without any name that could be exchanged. */
export const pathOf = ({ fd }: FileHandle): string => `/proc/self/fd/${fd}`;

/** The path of a name in an open directory. */
export const inDir = (dir: FileHandle, name: string): string => `${pathOf(dir)}/${name}`;

/**
 * Opens a file or directory. Symbolic links are resolved as the host itself would: an absolute link
 * starts at the root of the host, and `..` stops there. No link can therefore lead out of the mount into the agent's own file system.
 *
 * Throws the system's error, or one that names the path when it has too many links or components.
 */
export async function openInRoot(root: string, path: string, options: OpenOptions): Promise<FileHandle> {
  const opened = [await open(root, constants.O_RDONLY | constants.O_DIRECTORY)];
  try {
    await walk(opened, path, options);
    const last = opened.pop();
    if (last === undefined) throw new Error(`${path}: nothing was opened`);
    return last;
  } finally {
    await closeAll(opened);
  }
}

/** Leaves the root and every component that was opened in `opened`. */
async function walk(opened: FileHandle[], path: string, options: OpenOptions): Promise<void> {
  let pending = componentsOf(path);
  let links = 0;
  while (pending.length > 0) {
    const [name = '', ...rest] = pending;
    pending = rest;
    const dir = opened.at(-1);
    if (dir === undefined || opened.length > MAX_DEPTH) throw new Error(`${path}: too many directories`);
    if (name === '..') {
      if (opened.length > 1) await closeAll(opened.splice(-1));
      continue;
    }
    const isLast = rest.length === 0;
    const target = isLast && !options.followLast ? undefined : await linkTarget(inDir(dir, name));
    if (target === undefined) {
      opened.push(await openComponent(dir, name, isLast, options));
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new Error(`${path}: too many symbolic links`);
    if (target.startsWith('/')) await closeAll(opened.splice(1));
    pending = [...componentsOf(target), ...rest];
  }
}

const componentsOf = (path: string): string[] => path.split('/').filter(name => name !== '' && name !== '.');

async function openComponent(dir: FileHandle, name: string, isLast: boolean, options: OpenOptions) {
  const path = inDir(dir, name);
  if (options.as === 'any') return open(path, isLast ? WITHOUT_OPENING : DIRECTORY);
  try {
    return await open(path, DIRECTORY);
  } catch (error) {
    if (options.as === 'dir' || !hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    /* What is no directory makes this fail. */
    await mkdir(path);
    return open(path, DIRECTORY);
  }
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

async function closeAll(handles: readonly FileHandle[]): Promise<void> {
  for (const handle of handles) await handle.close();
}
