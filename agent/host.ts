/** The machine under the agent: the only file that touches it. */
import { execFile } from 'node:child_process';
import { constants, watch } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { efiText, LOADER_ENTRY } from './boot-state.js';
import { hasErrno } from './errno.js';
import { resolveIn } from './host-path.js';

/** Paths are the host's own. A file that is not there reads as undefined; removing it is no error. */
export interface Host {
  read(path: string): Promise<string | undefined>;
  /** Resolves when the text is safe on the disk, whole, and so is its name. Folders are made. */
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  list(dir: string): Promise<string[]>;
  /** Makes the folder if it can; tells whether it may be written to. */
  makeWritable(dir: string): Promise<boolean>;
  hasDir(dir: string): Promise<boolean>;
  /** Tells of changed names in a folder until the signal aborts. Without a guarantee: somebody has to look from time to time. */
  watch(dir: string, changed: (name: string | undefined) => void, signal: AbortSignal): Promise<void>;
  bootId(): Promise<string>;
  bootedAt(): Promise<Date>;
  cmdline(): Promise<string>;
  /** Entry that systemd-boot started, on machines that have it. */
  loaderEntry(): Promise<string | undefined>;
  /** CPU in Node's words. */
  arch(): string;
  /** Name of the host's first process. */
  initName(): Promise<string>;
  signalInit(signal: number): Promise<void>;
  /** Runs a command of the host, in the namespaces of its first process. */
  runBesideInit(...command: string[]): Promise<void>;
}

/** Release files and journals are small; what is bigger is not one of ours. */
const LARGEST = 1024 * 1024;
/** Kubernetes gives no other word for where the host's programs are. */
const HOST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const COMMAND_TIMEOUT_MS = 30_000;

/** The real one. Processes and boot id are seen through the agent's own /proc, which shows the host's processes (`hostPID`). */
export function realHost(
  root: string,
  clock: { now(): Date },
  { commandTimeoutMs = COMMAND_TIMEOUT_MS }: { commandTimeoutMs?: number } = {},
): Host {
  const at = (path: string) => resolveIn(root, path);
  return {
    read: async path => orAbsent(readSmall(await at(path))).then(bytes => bytes?.toString('utf8')),
    write: async (path, text) => {
      await mkdir(await at(dirname(path)), { recursive: true });
      await writeDurably(await at(path), text);
    },
    remove: async path => {
      const file = await at(path);
      await rm(file, { force: true });
      await syncDir(dirname(file));
    },
    list: async dir => (await orAbsent(readdir(await at(dir)))) ?? [],
    makeWritable: async dir => {
      try {
        await mkdir(await at(dir), { recursive: true });
        await access(await at(dir), constants.W_OK);
        return true;
      } catch {
        return false;
      }
    },
    hasDir: async dir => (await orAbsent(readdir(await at(dir)))) !== undefined,
    watch: async (dir, changed, signal) => watchDir(await at(dir), changed, signal),
    bootId: async () => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    bootedAt: async () => {
      const seconds = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
      return new Date(Math.round(clock.now().getTime() / 1000 - seconds) * 1000);
    },
    cmdline: async () => (await readFile('/proc/cmdline', 'utf8')).trim(),
    loaderEntry: async () => {
      const bytes = await orAbsent(readSmall(await at(LOADER_ENTRY)));
      return bytes && efiText(bytes);
    },
    arch,
    initName: async () => (await readFile('/proc/1/comm', 'utf8')).trim(),
    signalInit: async signal => void process.kill(1, signal),
    runBesideInit: (...command) => runBesideInit(command, commandTimeoutMs),
  };
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Regular files only: a pipe in their place would hold us for ever. */
async function readSmall(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const { size } = await handle.stat().then(stat => {
      if (!stat.isFile()) throw new Error(`${file} is not a regular file`);
      return stat;
    });
    if (size > LARGEST) throw new Error(`${file} is larger than ${LARGEST} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Beside, synced, then renamed over: after a power cut either the old text stands there or the new one. */
export async function writeDurably(
  file: string,
  text: string,
  beside = join(dirname(file), `.${process.pid}.new`),
): Promise<void> {
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  await syncDir(dirname(file));
}

async function syncDir(dir: string): Promise<void> {
  const handle = await orAbsent(open(dir, constants.O_RDONLY | constants.O_DIRECTORY));
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}

function watchDir(dir: string, changed: (name: string | undefined) => void, signal: AbortSignal): void {
  const watcher = watch(dir, { signal }, (_event, name) => changed(name ?? undefined));
  /* A folder that went away, or no watches left: the slow look sees what we do not. */
  watcher.on('error', () => watcher.close());
}

function runBesideInit(command: readonly string[], timeout: number): Promise<void> {
  const args = ['-t', '1', '-m', '-u', '-i', '-n', '-p', '--', ...command];
  const options = { env: { PATH: HOST_PATH }, timeout, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    execFile('nsenter', args, options, (error, _stdout, stderr) => {
      /* Ended by a signal: the machine is going down under it, or it hangs after having said its word. */
      if (!error || error.signal) resolve();
      else reject(new Error(`${command.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}
