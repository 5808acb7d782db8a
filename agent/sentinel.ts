/** Sentinels: files named `<job>-<unix seconds>` that contain a boot id. With one, a Job records on the host's disk that it succeeded. */
import { type ReadError, tryRead } from './read-errors.js';
import type { Host } from './host.js';

export interface Sentinel {
  /** File name inside the state directory. */
  file: string;
  jobName: string;
  /** Time of the file name, in Unix seconds. */
  at: number;
  /** Boot in which the Job succeeded; absent when the file does not contain a boot id. */
  bootId?: string;
}

const NAME = /^([a-z0-9][-a-z0-9.]*)-(\d{9,12})$/;
const BOOT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Parses the name and the text of a file; undefined when the name is not that of a sentinel. */
export function parseSentinel(file: string, text: string): Sentinel | undefined {
  const [, jobName, seconds] = NAME.exec(file) ?? [];
  if (jobName === undefined || seconds === undefined) return undefined;
  const bootId = text.trim();
  return { file, jobName, at: Number(seconds), bootId: BOOT_ID.test(bootId) ? bootId : undefined };
}

/** The file name of a sentinel that is written at `now`. */
export const sentinelName = (jobName: string, now: Date): string => `${jobName}-${Math.floor(now.getTime() / 1000)}`;

/** A file with the name of a sentinel of this Job that cannot be read: a directory, a pipe, or a bad block. */
export interface UnreadableSentinel extends ReadError {
  jobName: string;
}

/** A sentinel contains a boot id and nothing else. */
const MAX_BYTES = 1024;
/** More would take long to read; the newest are those of the current operation. */
const MAX_SENTINELS = 1000;

const timeOf = (name: string): number => Number(NAME.exec(name)?.[2] ?? 0);

/**
 * Reads the newest sentinels on the host, one after the other. Only regular files are sentinels; a link in place of one counts as unreadable.
 * A file that was deleted meanwhile is left out.
 */
export async function listSentinels(
  host: Host,
  stateDir: string,
): Promise<{ sentinels: Sentinel[]; unreadable: UnreadableSentinel[] }> {
  const names = (await host.list(stateDir)).filter(name => NAME.test(name));
  const newest = names.toSorted((a, b) => timeOf(b) - timeOf(a)).slice(0, MAX_SENTINELS);
  const results: { sentinel?: Sentinel; error?: ReadError; jobName: string }[] = [];
  for (const name of newest) {
    const path = `${stateDir}/${name}`;
    const { value: text, error } = await tryRead(path, host.read(path, MAX_BYTES));
    const sentinel = parseSentinel(name, text ?? '');
    results.push({ sentinel: text === undefined ? undefined : sentinel, error, jobName: sentinel?.jobName ?? '' });
  }
  return {
    sentinels: results.flatMap(({ sentinel }) => sentinel ?? []),
    unreadable: results.flatMap(({ error, jobName }) => (error ? { ...error, jobName } : [])),
  };
}

export const fileNames = (sentinels: readonly Sentinel[]): string[] => sentinels.map(({ file }) => file);

/** Removes these files from the state directory; one that does not exist is no error. */
export async function removeSentinels(host: Host, stateDir: string, files: readonly string[]): Promise<void> {
  for (const file of files) await host.remove(`${stateDir}/${file}`);
}

/** A sentinel that no operation used within this time belongs to one that finished long ago. */
const EXPIRY_SECONDS = 30 * 24 * 3600;

/** Sentinels that can be deleted; those of `currentJob` never expire. */
export const expiredSentinels = (sentinels: readonly Sentinel[], now: Date, currentJob?: string): Sentinel[] =>
  sentinels.filter(({ jobName, at }) => jobName !== currentJob && now.getTime() / 1000 - at > EXPIRY_SECONDS);
