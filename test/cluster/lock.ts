/** A lock between processes: a folder that names its holder; a dead holder's lock is taken over. */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isAlive, readRecord, recordOf, writeWhole } from './process-record.js';
import { waitFor } from './wait.js';

export async function withLock<T>(folder: string, seconds: number, work: () => Promise<T>): Promise<T> {
  const holder = join(folder, 'holder.pid');
  mkdirSync(dirname(folder), { recursive: true });
  await waitFor(() => take(folder, holder), { what: `the lock ${folder}`, seconds, everyMs: 500 });
  try {
    return await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function take(folder: string, holder: string): boolean {
  try {
    mkdirSync(folder);
  } catch {
    const record = readRecord(holder);
    // without a record its holder is just writing it, or died in that moment: the next look decides
    if (record !== undefined && !isAlive(record)) rmSync(folder, { recursive: true, force: true });
    return false;
  }
  writeWhole(holder, recordOf(process.pid) ?? {});
  return true;
}
