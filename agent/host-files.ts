/**
 * Reads and writes files of the host. Where others may write as well, a link that they plant must not redirect the agent: the last name of a
 * path that it writes, renames or removes is never followed, and the files that it makes are made new, under names that cannot be guessed.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, open, opendir, rename, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { hasErrno } from './errno.js';
import { inDir, openInRoot, pathOf } from './open-in-root.js';

/** Release files and journals are small, so a larger file is none of them. */
export const MAX_FILE_BYTES = 1024 * 1024;
/** A directory with more names is read no further. */
export const MAX_NAMES = 10_000;

/** Without waiting: some files of the kernel would block. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export async function undefinedIfAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The name of a temporary file of an agent: one that was left behind is recognized by it. */
const tempName = (): string => `.agent.${randomUUID()}.new`;

export interface ReadOptions {
  /** Whether a link in place of the file is followed. */
  followLast: boolean;
  maxBytes?: number;
}

/** Reads a regular file; at most one byte more than the limit is read, whatever the file says about its size. */
export async function readFileOf(root: string, path: string, options: ReadOptions): Promise<Buffer> {
  const { followLast, maxBytes = MAX_FILE_BYTES } = options;
  return naming(path, 'open', async () => {
    const found = await openInRoot(root, path, { followLast, as: 'any' });
    return closing(found, async () => {
      if (!(await found.stat()).isFile()) throw new Error(`${path} is not a regular file`);
      const file = await open(pathOf(found), READ);
      const bytes = await closing(file, () => readUpTo(file, maxBytes + 1));
      if (bytes.length > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes`);
      return bytes;
    });
  });
}

/** The size that a file states is no guide: files of the kernel state none. The buffer grows with what was really read. */
async function readUpTo(file: FileHandle, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  while (length < limit) {
    const part = Buffer.alloc(Math.min(16_384, limit - length));
    const { bytesRead } = await file.read(part, 0, part.length, null);
    if (bytesRead === 0) break;
    parts.push(part.subarray(0, bytesRead));
    length += bytesRead;
  }
  return Buffer.concat(parts);
}

/** Replaces a file atomically and durably. Missing directories are created. */
export const writeFileOf = (root: string, path: string, text: string): Promise<void> =>
  naming(path, 'write', async () => {
    const dir = await openInRoot(root, dirname(path), { followLast: false, as: 'newDir' });
    await closing(dir, () => writeDurably(dir, { name: basename(path), text, tempFile: tempName() }));
  });

export interface NewFile {
  name: string;
  text: string;
  /** A name in the same directory that cannot be guessed. */
  tempFile: string;
}

/**
 * Writes to a temporary file, syncs it, and renames it: after a power failure, the file has either the old text or the new one. A link of
 * either name is not followed: the temporary file must not exist, and the rename replaces the link.
 */
export async function writeDurably(dir: FileHandle, { name, text, tempFile }: NewFile): Promise<void> {
  await makeFile(dir, tempFile, text);
  try {
    await rename(inDir(dir, tempFile), inDir(dir, name));
  } catch (error) {
    await unlink(inDir(dir, tempFile)).catch(() => undefined);
    throw error;
  }
  await dir.sync();
}

/** Leaves nothing behind when it fails. */
async function makeFile(dir: FileHandle, name: string, text: string): Promise<void> {
  const file = await open(inDir(dir, name), NEW_FILE, 0o600);
  try {
    await closing(file, async () => {
      await file.writeFile(text);
      await file.sync();
    });
  } catch (error) {
    await unlink(inDir(dir, name)).catch(() => undefined);
    throw error;
  }
}

/** Removes a file or a link; one that does not exist is no error. */
export const removeFileOf = (root: string, path: string): Promise<void> =>
  naming(path, 'unlink', async () => {
    const dir = await undefinedIfAbsent(openInRoot(root, dirname(path), { followLast: false, as: 'dir' }));
    if (dir === undefined) return;
    await closing(dir, async () => {
      await undefinedIfAbsent(unlink(inDir(dir, basename(path))));
      await dir.sync();
    });
  });

/** Writes a file and removes it again. */
export const tryWriteIn = (root: string, path: string): Promise<void> =>
  naming(path, 'mkdir', async () => {
    const dir = await openInRoot(root, path, { followLast: false, as: 'newDir' });
    await closing(dir, async () => {
      const name = tempName();
      await makeFile(dir, name, 'test\n');
      await unlink(inDir(dir, name));
      await dir.sync();
    });
  });

/** Creates a directory, unless it exists, and throws when it cannot be written. */
export async function makeWritableDir(root: string, path: string): Promise<void> {
  const dir = await openInRoot(root, path, { followLast: false, as: 'newDir' });
  await closing(dir, () => access(pathOf(dir), constants.W_OK));
}

/** The names in a directory, at most `MAX_NAMES`; undefined when it is none. */
export async function namesIn(root: string, path: string): Promise<string[] | undefined> {
  const dir = await undefinedIfAbsent(openInRoot(root, path, { followLast: true, as: 'dir' }));
  if (dir === undefined) return undefined;
  return closing(dir, async () => {
    const entries = await opendir(pathOf(dir));
    const names: string[] = [];
    for await (const { name } of entries) {
      names.push(name);
      if (names.length >= MAX_NAMES) break;
    }
    return names;
  });
}

export async function closing<T>(handle: FileHandle, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    await handle.close();
  }
}

/**
 * Names the path of the host in the system's errors. The paths that were really used contain numbers and random names, so that a status
 * with them would change with every attempt.
 */
async function naming<T>(path: string, call: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const [what = ''] = error.message.split(',');
    throw Object.assign(new Error(`${what}, ${error.syscall ?? call} '${path}'`, { cause: error }), {
      code: error.code,
    });
  }
}

const isSystemError = (error: unknown): error is { code: string; message: string; syscall?: string } =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  typeof error.code === 'string' &&
  'message' in error &&
  typeof error.message === 'string';
