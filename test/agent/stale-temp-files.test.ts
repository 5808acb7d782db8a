import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { writeSentinel } from '../../agent/write-sentinel.js';
import { isStaleTempFile, removeStaleTempFiles } from '../../agent/stale-temp-files.js';
import { fakeHost } from '../fakes/host.js';

const DIR = '/usr/local/.kairos';
const now = new Date('2026-01-01T00:10:00.000Z');

test.each([
  ['written by an agent', '.4711.new', true],
  ['written by an agent, under a random name', '.agent.0b1f7a52-96cf-4dbb-bd42-4e39b2c21c39.new', true],
  [
    'written by a Job just now, with a random name',
    '.up-n1-1767225600.0b1f7a52-96cf-4dbb-bd42-4e39b2c21c39.new',
    false,
  ],
  ['written by a Job long ago, with a random name', '.up-n1-1700000000.0b1f7a52-96cf-4dbb-bd42-4e39b2c21c39.new', true],
  ['written by a Job just now', '.up-n1-1767225600.new', false],
  ['written by a Job long ago', '.up-n1-1700000000.new', true],
  ['complete: a sentinel', 'up-n1-1700000000', false],
  ['complete: the journal', 'journal.json', false],
  ['unrelated', '.hidden.new', false],
])('whether a file is stale: %s', (_sentence, name, isStale) => expect(isStaleTempFile(name, now)).toBe(isStale));

test('removes only stale temporary files', async () => {
  const host = fakeHost({ [`${DIR}/.12.new`]: 'half', [`${DIR}/journal.json`]: '{}' });
  await removeStaleTempFiles(host, DIR, now);
  expect([...host.files.keys()]).toEqual([`${DIR}/journal.json`]);
});

test('a Job names its temporary file so that a starting agent does not remove it', async () => {
  const dir = mkdtempSync(`${tmpdir()}/sentinel-`);
  try {
    /* A Job name that is too long makes the write fail, and the error contains the name of the temporary file. */
    const JOB_NAME = 'x'.repeat(243);
    const writing = writeSentinel({ JOB_NAME, SENTINEL_DIR: dir }, now);
    await expect(writing).rejects.toThrow(`/.${JOB_NAME}-1767226200.`);
    const [tempFile = ''] = /\.x[^/']*\.new/.exec(await writing.catch(String)) ?? [];
    expect(tempFile).not.toBe('');
    expect(isStaleTempFile(tempFile, now)).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
