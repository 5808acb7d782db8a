import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { writeSentinel } from '../../agent/write-sentinel.js';
import { isStaleTempFile, removeStaleTempFiles } from '../../agent/stale-temp-files.js';
import { fakeHost } from '../fakes/host.js';

const DIR = '/usr/local/.kairos';
const now = new Date('2026-01-01T00:10:00.000Z');

test.each([
  ['of an agent', '.4711.new', true],
  ['of a Job, half written a moment ago', '.up-n1-1767225600.new', false],
  ['of a Job of long ago', '.up-n1-1700000000.new', true],
  ['a sentinel', 'up-n1-1700000000', false],
  ['the journal', 'journal.json', false],
  ['something of others', '.hidden.new', false],
])('is it a leftover? %s', (_sentence, name, leftover) => expect(isStaleTempFile(name, now)).toBe(leftover));

test('leftovers go, nothing else does', async () => {
  const host = fakeHost({ [`${DIR}/.12.new`]: 'half', [`${DIR}/journal.json`]: '{}' });
  await removeStaleTempFiles(host, DIR, now);
  expect([...host.files.keys()]).toEqual([`${DIR}/journal.json`]);
});

test('a Job writes beside under a name that no starting agent takes for its own', async () => {
  const dir = mkdtempSync(`${tmpdir()}/sentinel-`);
  try {
    /* A Job whose name is too long for the file beside fails there: the error tells which name that was. */
    const JOB_NAME = 'x'.repeat(243);
    const beside = `.${JOB_NAME}-1767226200.new`;
    await expect(writeSentinel({ JOB_NAME, SENTINEL_DIR: dir }, now)).rejects.toThrow(beside);
    expect(isStaleTempFile(beside, now)).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
