/** Process records: a PID together with the start time, so that a reused PID is not mistaken for the recorded process. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { waitFor } from './wait.js';

export interface ProcessRecord {
  pid: number;
  /** Start time of the process, in clock ticks since the boot of the machine. */
  started: string;
}

/** The start time of a running process; undefined if it has ended, even if it has not been reaped yet. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function recordOf(pid: number): ProcessRecord | undefined {
  const started = startTimeOf(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isAlive(record: ProcessRecord | undefined): record is ProcessRecord {
  return record !== undefined && startTimeOf(record.pid) === record.started;
}

/** Sends SIGKILL if the PID still belongs to the recorded process. */
export function killRecorded(record: ProcessRecord | undefined): void {
  if (!isAlive(record)) return;
  try {
    process.kill(record.pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}

/** Replaces a file by renaming, so that a reader sees either the old or the new content. */
export function writeAtomically(file: string, value: object): void {
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

/** Kills every process recorded in the folder, waits until all have ended, and removes the records. */
export async function killAllIn(folder: string): Promise<void> {
  const files = recordFiles(folder);
  const records = files.map(readRecord);
  for (const record of records) killRecorded(record);
  await waitFor(() => !records.some(isAlive), { what: `the processes of ${folder} to end`, seconds: 20, everyMs: 20 });
  for (const file of files) rmSync(file, { force: true });
}

/** The records in the folder whose processes are still running. */
export function liveProcessesIn(folder: string): ProcessRecord[] {
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
