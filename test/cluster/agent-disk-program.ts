/** Writes the journal on a disk that becomes full and read-only. Runs in its own mount namespace; argument: mount point of a 64 KiB disk. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { realHost } from '../../agent/host.js';
import { Journal, type JournalEntry } from '../../agent/reboot-journal.js';
import { findStateDir } from '../../agent/state-dir.js';

const disk = process.argv.at(-1) ?? '';
const host = realHost(disk, { now: () => new Date() });

const entry = (id: string): JournalEntry => ({
  id,
  jobName: 'j',
  bootId: 'b',
  notAfter: 'n',
  state: 'Rebooting',
  message: 'x'.repeat(8000),
});

/** "done", or the system error code. */
const outcome = (writing: Promise<void>) =>
  writing.then(
    () => 'done',
    (error: NodeJS.ErrnoException) => error.code,
  );

function fillDisk(): void {
  try {
    writeFileSync(`${disk}/filler`, Buffer.alloc(100_000));
  } catch {
    /* ENOSPC is what this is for. */
  }
}

async function main(): Promise<void> {
  const { stateDir } = await findStateDir(host);
  const { journal } = await Journal.open(host, stateDir);
  const first = await outcome(journal.write(entry('first')));

  fillDisk();
  const second = await outcome(journal.write(entry('second')));
  const reopened = await Journal.open(host, stateDir);
  const full = {
    write: second,
    hasEntry: journal.entry('second') !== undefined,
    isDamaged: reopened.damage !== undefined,
    keepsFirst: reopened.journal.entry('first')?.id === 'first',
  };

  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const third = await outcome(reopened.journal.write(entry('third')));
  const readOnly = { write: third, isWritable: (await findStateDir(host)).writable };

  execFileSync('mount', ['-o', 'remount,rw', disk]);
  execFileSync('rm', [`${disk}/filler`]);
  const fourth = await outcome(reopened.journal.write(entry('fourth')));
  const { journal: last } = await Journal.open(host, stateDir);
  const freed = { write: fourth, hasEntry: last.entry('fourth') !== undefined };
  process.stdout.write(JSON.stringify({ first, full, readOnly, freed }));
}

void main();
