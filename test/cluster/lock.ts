/** A lock between processes: a folder with a record of the holding process. The lock of a process that has died is broken. */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isAlive, readRecord, recordOf, writeAtomically } from './process-record.js';
import { waitFor } from './wait.js';

export async function withLock<T>(folder: string, seconds: number, work: () => Promise<T>): Promise<T> {
  const holder = join(folder, 'holder.pid');
  mkdirSync(dirname(folder), { recursive: true });
  await waitFor(() => tryAcquire(folder, holder), { what: `the lock ${folder}`, seconds, everyMs: 500 });
  try {
    return await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tryAcquire(folder: string, holder: string): boolean {
  try {
    mkdirSync(folder);
  } catch {
    const record = readRecord(holder);
    // Without a record the holder is just writing it, or died at that moment. The next attempt decides.
    if (record !== undefined && !isAlive(record)) rmSync(folder, { recursive: true, force: true });
    return false;
  }
  writeAtomically(holder, recordOf(process.pid) ?? {});
  return true;
}
