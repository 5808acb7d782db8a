/** Sentinels: files `<job>-<unix seconds>` with the boot id inside, by which a Job says on the host's own disk that it succeeded. */
import { type ReadError, tryRead } from './read-errors.js';
import type { Host } from './host.js';

export interface Sentinel {
  file: string;
  jobName: string;
  /** Unix seconds, from the name. */
  at: number;
  /** Of the boot in which the Job ended; absent where the file does not say. */
  bootId?: string;
}

const NAME = /^([a-z0-9][-a-z0-9.]*)-(\d{9,12})$/;
const BOOT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Undefined: the file is no sentinel. */
export function sentinelOf(file: string, text: string): Sentinel | undefined {
  const [, jobName, seconds] = NAME.exec(file) ?? [];
  if (jobName === undefined || seconds === undefined) return undefined;
  const bootId = text.trim();
  return { file, jobName, at: Number(seconds), bootId: BOOT_ID.test(bootId) ? bootId : undefined };
}

export const sentinelName = (jobName: string, now: Date): string => `${jobName}-${Math.floor(now.getTime() / 1000)}`;

/** Named like a sentinel of this Job, but it cannot be read: a folder, a pipe, a bad block. */
export interface Unreadable extends ReadError {
  jobName: string;
}

/** All sentinels on the host. One that went away meanwhile is none. */
export async function sentinelsIn(
  host: Host,
  stateDir: string,
): Promise<{ sentinels: Sentinel[]; unreadable: Unreadable[] }> {
  const names = (await host.list(stateDir)).filter(name => NAME.test(name));
  const looks = await Promise.all(
    names.map(async name => {
      const path = `${stateDir}/${name}`;
      const { value: text, fault } = await tryRead(path, host.read(path));
      const sentinel = sentinelOf(name, text ?? '');
      return { sentinel: text === undefined ? undefined : sentinel, fault, jobName: sentinel?.jobName ?? '' };
    }),
  );
  return {
    sentinels: looks.flatMap(({ sentinel }) => sentinel ?? []),
    unreadable: looks.flatMap(({ fault, jobName }) => (fault ? { ...fault, jobName } : [])),
  };
}

export async function removeSentinels(host: Host, stateDir: string, files: readonly string[]): Promise<void> {
  for (const file of files) await host.remove(`${stateDir}/${file}`);
}

/** A sentinel that nobody asked for in this time belongs to an operation that ended long ago. */
const FORGOTTEN_SECONDS = 30 * 24 * 3600;

/** Those that may be swept away. */
export const forgotten = (sentinels: readonly Sentinel[], now: Date, asked?: string): Sentinel[] =>
  sentinels.filter(one => one.jobName !== asked && now.getTime() / 1000 - one.at > FORGOTTEN_SECONDS);
