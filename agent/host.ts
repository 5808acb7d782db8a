/** Access to the machine that the agent runs on. No other file of the agent touches it. */
import { execFile } from 'node:child_process';
import { constants, watch } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { efiText, LOADER_ENTRY } from './boot-state.js';
import { hasErrno } from './errno.js';
import { resolveInRoot } from './host-path.js';

/** All paths are absolute paths of the host. Reading a file that does not exist returns undefined; removing one is no error. */
export interface Host {
  read(path: string): Promise<string | undefined>;
  /** Replaces the file atomically. Resolves when the text and its directory entry are synced to the disk. Missing directories are created. */
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  list(dir: string): Promise<string[]>;
  /** Creates the directory if possible; returns whether it is writable. */
  makeWritable(dir: string): Promise<boolean>;
  hasDir(dir: string): Promise<boolean>;
  /** Writes a file to the directory, which is created if needed, syncs it and removes it again; returns why that failed. A full disk does not show in any other way. */
  writeError(dir: string): Promise<string | undefined>;
  /** Reports changed names in a directory until the signal aborts. Changes may be missed, so callers need a resync as well. */
  watch(dir: string, onChange: (name: string | undefined) => void, signal: AbortSignal): Promise<void>;
  bootId(): Promise<string>;
  bootedAt(): Promise<Date>;
  cmdline(): Promise<string>;
  /** Entry that systemd-boot selected; undefined on machines without systemd-boot. */
  loaderEntry(): Promise<string | undefined>;
  /** CPU architecture as Node.js spells it, such as x64. */
  arch(): string;
  /** Name of the init process. */
  initName(): Promise<string>;
  signalInit(signal: number): Promise<void>;
  /**
   * Runs a command of the host in the namespaces of its init process. Throws when it exits with an error; `hung` when it was killed because it
   * did not exit in time.
   */
  runInInitNamespaces(...command: string[]): Promise<'exited' | 'hung'>;
}

/** Release files and journals are small, so a larger file is none of them. */
const MAX_FILE_BYTES = 1024 * 1024;
/** nsenter does not set PATH, so the usual directories of the host are searched. */
const HOST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const COMMAND_TIMEOUT_MS = 30_000;
/** The error of a command becomes part of a status, and others may have a say in it, such as the holder of an inhibitor lock. */
const MAX_ERROR_LENGTH = 500;

/** The real host. `root` is the mount of its root; processes and boot id come from the agent's own /proc, which shows the host's (`hostPID`). */
export function realHost(
  root: string,
  clock: { now(): Date },
  { commandTimeoutMs = COMMAND_TIMEOUT_MS }: { commandTimeoutMs?: number } = {},
): Host {
  const at = (path: string) => resolveInRoot(root, path);
  return {
    read: async path => undefinedIfAbsent(readRegularFile(await at(path))).then(bytes => bytes?.toString('utf8')),
    write: async (path, text) => {
      await mkdir(await at(dirname(path)), { recursive: true });
      await writeDurably(await at(path), text);
    },
    remove: async path => {
      const file = await at(path);
      await rm(file, { force: true });
      await syncDir(dirname(file));
    },
    list: async dir => (await undefinedIfAbsent(readdir(await at(dir)))) ?? [],
    makeWritable: async dir => {
      try {
        await mkdir(await at(dir), { recursive: true });
        await access(await at(dir), constants.W_OK);
        return true;
      } catch {
        return false;
      }
    },
    writeError: async dir => tryWrite(await at(dir)),
    hasDir: async dir => (await undefinedIfAbsent(readdir(await at(dir)))) !== undefined,
    watch: async (dir, onChange, signal) => watchDir(await at(dir), onChange, signal),
    bootId: async () => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    bootedAt: async () => {
      const seconds = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
      return new Date(Math.round(clock.now().getTime() / 1000 - seconds) * 1000);
    },
    cmdline: async () => (await readFile('/proc/cmdline', 'utf8')).trim(),
    loaderEntry: async () => {
      const bytes = await undefinedIfAbsent(readRegularFile(await at(LOADER_ENTRY)));
      return bytes && efiText(bytes);
    },
    arch,
    initName: async () => (await readFile('/proc/1/comm', 'utf8')).trim(),
    signalInit: async signal => void process.kill(1, signal),
    runInInitNamespaces: (...command) => runInInitNamespaces(command, commandTimeoutMs),
  };
}

async function undefinedIfAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Only regular files are read: a pipe in place of one would block indefinitely. */
async function readRegularFile(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const { size } = await handle.stat().then(stat => {
      if (!stat.isFile()) throw new Error(`${file} is not a regular file`);
      return stat;
    });
    if (size > MAX_FILE_BYTES) throw new Error(`${file} is larger than ${MAX_FILE_BYTES} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * Writes to a temporary file, syncs it, and renames it over `file`: after a power failure, the file has either the old text or the new one.
 * `tempFile` must be in the same directory.
 */
export async function writeDurably(
  file: string,
  text: string,
  tempFile = join(dirname(file), `.${process.pid}.new`),
): Promise<void> {
  const handle = await open(tempFile, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(tempFile, file);
  await syncDir(dirname(file));
}

/** Has the name of the agent's temporary files, so that one that was left behind is removed at the next start. */
async function tryWrite(dir: string): Promise<string | undefined> {
  const file = join(dir, `.${process.pid}.new`);
  try {
    await mkdir(dir, { recursive: true });
    await writeDurably(file, 'test\n', file);
    await rm(file, { force: true });
    return undefined;
  } catch (error) {
    await rm(file, { force: true }).catch(() => undefined);
    return error instanceof Error ? error.message : String(error);
  }
}

async function syncDir(dir: string): Promise<void> {
  const handle = await undefinedIfAbsent(open(dir, constants.O_RDONLY | constants.O_DIRECTORY));
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}

function watchDir(dir: string, onChange: (name: string | undefined) => void, signal: AbortSignal): void {
  const watcher = watch(dir, { signal }, (_event, name) => onChange(name ?? undefined));
  /* The directory was deleted, or no inotify watches are left: the resync notices further changes. */
  watcher.on('error', () => watcher.close());
}

function runInInitNamespaces(command: readonly string[], timeout: number): Promise<'exited' | 'hung'> {
  const args = ['-t', '1', '-m', '-u', '-i', '-n', '-p', '--', ...command];
  const options = { env: { PATH: HOST_PATH }, timeout, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    execFile('nsenter', args, options, (error, _stdout, stderr) => {
      if (error?.killed) return resolve('hung');
      /* A command that something else killed did its work: the machine is shutting down. */
      if (!error || error.signal) return resolve('exited');
      const text = (stderr.trim() || error.message).slice(0, MAX_ERROR_LENGTH);
      return reject(new Error(`${command.join(' ')}: ${text}`, { cause: error }));
    });
  });
}
