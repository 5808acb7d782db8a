/** Access to the machine that the agent runs on. No other file of the agent touches it. */
import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname } from 'node:path';
import { efiText, LOADER_ENTRY, LOADER_PARTITION } from './boot-state.js';
import {
  closing,
  makeWritableDir,
  namesIn,
  readFileOf,
  removeFileOf,
  tryWriteIn,
  undefinedIfAbsent,
  writeFileOf,
} from './host-files.js';
import { openInRoot, pathOf } from './open-in-root.js';

/**
 * All paths are absolute paths of the host. Reading a file that does not exist returns undefined; removing one is no error. Only `readLinked`
 * follows a link in place of the file itself.
 */
export interface Host {
  /** Fails for anything but a regular file of at most `maxBytes`, by default 1 MiB. */
  read(path: string, maxBytes?: number): Promise<string | undefined>;
  /** For files that only root of the host can replace by a link, such as those in `/etc`. */
  readLinked(path: string): Promise<string | undefined>;
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
  /** Whether the boot loader was started from a partition; undefined on machines whose EFI variables cannot be seen. */
  isStartedFromPartition(): Promise<boolean | undefined>;
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
  const read = (path: string, options: { followLast: boolean; maxBytes?: number }) =>
    undefinedIfAbsent(readFileOf(root, path, options));
  return {
    read: async (path, maxBytes) => (await read(path, { followLast: false, maxBytes }))?.toString('utf8'),
    readLinked: async path => (await read(path, { followLast: true }))?.toString('utf8'),
    write: (path, text) => writeFileOf(root, path, text),
    remove: path => removeFileOf(root, path),
    list: async dir => (await namesIn(root, dir)) ?? [],
    makeWritable: dir => makeWritableDir(root, dir).then(isTrue, isFalse),
    writeError: dir => tryWriteIn(root, dir).then(noError, messageOf),
    hasDir: async dir => (await namesIn(root, dir)) !== undefined,
    watch: (dir, onChange, signal) => watchDir({ root, dir }, onChange, signal),
    bootId: async () => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    bootedAt: async () => {
      const seconds = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
      return new Date(Math.round(clock.now().getTime() / 1000 - seconds) * 1000);
    },
    cmdline: async () => (await readFile('/proc/cmdline', 'utf8')).trim(),
    loaderEntry: async () => {
      const bytes = await read(LOADER_ENTRY, { followLast: false });
      return bytes && efiText(bytes);
    },
    isStartedFromPartition: async () => {
      const names = (await namesIn(root, dirname(LOADER_PARTITION))) ?? [];
      if (names.length === 0) return undefined;
      return ((await read(LOADER_PARTITION, { followLast: false }))?.length ?? 0) > 0;
    },
    arch,
    initName: async () => (await readFile('/proc/1/comm', 'utf8')).trim(),
    signalInit: async signal => void process.kill(1, signal),
    runInInitNamespaces: (...command) => runInInitNamespaces(command, commandTimeoutMs),
  };
}

const isTrue = () => true;
const isFalse = () => false;
const noError = () => undefined;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function watchDir(
  { root, dir }: { root: string; dir: string },
  onChange: (name: string | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const handle = await openInRoot(root, dir, { followLast: true, as: 'dir' });
  await closing(handle, async () => {
    const watcher = watch(pathOf(handle), { signal }, (_event, name) => onChange(name ?? undefined));
    /* The directory was deleted, or no inotify watches are left: the resync notices further changes. */
    watcher.on('error', () => watcher.close());
  });
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
