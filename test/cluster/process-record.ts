/** Process records: a pid together with the start time, so that a recycled pid is never taken for ours. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { waitFor } from './wait.js';

export interface ProcessRecord {
  pid: number;
  /** Clock ticks from the machine's boot to the start of the process. */
  started: string;
}

/** The start time of a living process; undefined for one that is gone or only waits to be reaped. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function recordOf(pid: number): ProcessRecord | undefined {
  const started = startOf(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isAlive(record: ProcessRecord | undefined): record is ProcessRecord {
  return record !== undefined && startOf(record.pid) === record.started;
}

/** SIGKILL, if it is still the process of the record. */
export function killRecorded(record: ProcessRecord | undefined): void {
  if (!isAlive(record)) return;
  try {
    process.kill(record.pid, 'SIGKILL');
  } catch {
    // it ended in between
  }
}

/** Writes a file so that a reader sees the old or the new content, never a part. */
export function writeWhole(file: string, value: object): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(value));
  renameSync(draft, file);
}

export function readRecord(file: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
}

/** Kills every process recorded in the folder, waits for their end, and removes the records. */
export async function killAllIn(folder: string): Promise<void> {
  const files = recordFiles(folder);
  const records = files.map(readRecord);
  for (const record of records) killRecorded(record);
  await waitFor(() => !records.some(isAlive), { what: `the processes of ${folder} to end`, seconds: 20, everyMs: 20 });
  for (const file of files) rmSync(file, { force: true });
}

/** The records in the folder whose process still lives. */
export function livingIn(folder: string): ProcessRecord[] {
  return recordFiles(folder).map(readRecord).filter(isAlive);
}

function recordFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(name => name.endsWith('.pid'))
      .map(name => join(folder, name));
  } catch {
    return [];
  }
}
