import { describe, expect, test } from '@jest/globals';
import { Journal, parseEntries, entryFromStatus } from '../../agent/reboot-journal.js';
import type { NodeAgentStatus } from '../../api/node-agent.js';
import { expiredSentinels, parseSentinel, listSentinels } from '../../agent/sentinel.js';
import { bootIdOf, fakeHost } from '../fakes/host.js';
import { rebootRequested, entry, JOB, rebootWithdrawn } from './builders.js';

const DIR = '/usr/local/.kairos';

describe('the journal', () => {
  test('has the written entries after a restart', async () => {
    const host = fakeHost({});
    const { journal, damage } = await Journal.open(host, DIR);
    expect(damage).toBeUndefined();
    await journal.write(entry());
    await journal.write(entry({ state: 'Rebooted' }));
    const again = await Journal.open(host, DIR);
    expect(again.journal.entry('op-1')).toEqual(entry({ state: 'Rebooted' }));
    expect(again.journal.entry('op-2')).toBeUndefined();
  });

  test('does not contain an entry that could not be written', async () => {
    const host = fakeHost({});
    const { journal } = await Journal.open(host, DIR);
    host.set({ diskFault: 'EIO' });
    await expect(journal.write(entry())).rejects.toThrow('EIO');
    expect(journal.entry('op-1')).toBeUndefined();
  });

  test('drops old entries and keeps the newest eight', async () => {
    const host = fakeHost({});
    const { journal } = await Journal.open(host, DIR);
    for (let n = 1; n <= 12; n += 1) await journal.write(entry({ id: `op-${n}` }));
    const { journal: again } = await Journal.open(host, DIR);
    expect(again.entry('op-4')).toBeUndefined();
    expect(again.entry('op-5')).toBeDefined();
    expect(again.entry('op-12')).toBeDefined();
  });

  test.each([
    ['an empty file', ''],
    ['a truncated file', '{"version":1,"entries":[{"id":'],
    ['another structure', '[]'],
    ['no list of entries', '{"version":1}'],
  ])('has no entries when the file is damaged: %s', (_sentence, text) =>
    expect(parseEntries(text)).toEqual({ entries: [], isDamaged: true }),
  );

  test.each([
    ['an entry without boot id', { ...entry(), bootId: undefined }],
    ['an unknown state', { ...entry(), state: 'Odd' }],
    ['a number in place of a text', { ...entry(), calledAt: 1 }],
    ['null', null],
  ])('keeps the valid entries next to a damaged one: %s', (_sentence, broken) => {
    const valid = entry({ id: 'op-2' });
    const text = JSON.stringify({ version: 1, entries: [broken, valid] });
    expect(parseEntries(text)).toEqual({ entries: [valid], isDamaged: true });
  });

  test('copies a damaged file for inspection', async () => {
    const host = fakeHost({ [`${DIR}/journal.json`]: 'x' });
    expect((await Journal.open(host, DIR)).damage).toBe('copied to journal.json.damaged');
    expect(host.files.get(`${DIR}/journal.json.damaged`)).toBe('x');
  });

  test('opens although a damaged file cannot be copied on a read-only disk', async () => {
    const host = fakeHost({ [`${DIR}/journal.json`]: 'x' });
    host.set({ diskFault: 'EROFS: read-only file system' });
    expect((await Journal.open(host, DIR)).damage).toContain('cannot be copied: EROFS');
  });

  test('opens without entries and reports the error when the file cannot be read', async () => {
    const host = fakeHost({ [`${DIR}/journal.json`]: '{}' });
    host.set({ unreadable: [`${DIR}/journal.json`] });
    const { journal, damage } = await Journal.open(host, DIR);
    expect(damage).toContain('EIO');
    expect(journal.entry('op-1')).toBeUndefined();
  });
});

describe('the journal entry that is rebuilt from the status', () => {
  const answer = { state: 'Rebooting' as const, bootIdBefore: bootIdOf(1), startedAt: '2026-01-01T00:10:00.000Z' };
  test('has no time of the call for a reboot that was started', () => {
    const status = { operation: { id: 'op-1', reboot: answer } };
    expect(entryFromStatus(rebootRequested(), status)).toEqual(entry({ calledAt: undefined, isInferred: true }));
    expect(entryFromStatus(rebootWithdrawn(), status)).toMatchObject({
      jobName: JOB,
      bootId: bootIdOf(1),
      state: 'Rebooting',
    });
  });
  test.each(['Rebooted', 'Cancelled', 'Failed'] as const)('keeps the final state %s', state => {
    const reboot = { ...answer, state, bootIdAfter: bootIdOf(2), message: 'why' };
    expect(entryFromStatus(rebootRequested(), { operation: { id: 'op-1', reboot } })).toMatchObject({
      state,
      bootId: bootIdOf(1),
      bootIdAfter: bootIdOf(2),
      message: 'why',
    });
  });
  test.each<[string, NodeAgentStatus | undefined]>([
    ['a missing status', undefined],
    ['an answer to another operation', { operation: { id: 'op-0', reboot: answer } }],
    ['a reboot that has not started', { operation: { id: 'op-1', reboot: { ...answer, state: 'Waiting' } } }],
    ['an answer without boot id', { operation: { id: 'op-1', reboot: { state: 'Rebooting' } } }],
  ])('does not exist for %s', (_sentence, status) =>
    expect(entryFromStatus(rebootRequested(), status)).toBeUndefined(),
  );
});

describe('sentinels', () => {
  test.each([
    ['up-n1-1767225600', 'up-n1'],
    ['up-n1-2-1767225600', 'up-n1-2'],
    ['up.x-n1-1767225600', 'up.x-n1'],
  ])('named %s belong to the Job %s', (file, jobName) => {
    expect(parseSentinel(file, `${bootIdOf(1)}\n`)).toEqual({ file, jobName, at: 1_767_225_600, bootId: bootIdOf(1) });
  });
  test.each(['journal.json', '.12.new', 'up-n1', '-1767225600', 'up-n1-12', '../up-1767225600'])(
    'are not recognized by the name %s',
    file => expect(parseSentinel(file, '')).toBeUndefined(),
  );
  test.each(['', 'completed', `${bootIdOf(1)} and more`])('have no boot id when their text is "%s"', text => {
    expect(parseSentinel('up-n1-1767225600', text)?.bootId).toBeUndefined();
  });
  test('are listed without the other files of the directory', async () => {
    const host = fakeHost({ [`${DIR}/journal.json`]: '{}', [`${DIR}/up-n1-1767225600`]: bootIdOf(1) });
    expect((await listSentinels(host, DIR)).sentinels.map(({ file }) => file)).toEqual(['up-n1-1767225600']);
  });
  test('are listed next to one that cannot be read', async () => {
    const [bad, good] = [`${DIR}/odd-1767225600`, `${DIR}/up-n1-1767225600`];
    const host = fakeHost({ [bad]: '', [good]: bootIdOf(1) });
    host.set({ unreadable: [bad] });
    const { sentinels, unreadable } = await listSentinels(host, DIR);
    expect(sentinels.map(({ file }) => file)).toEqual(['up-n1-1767225600']);
    expect(unreadable).toEqual([{ jobName: 'odd', path: bad, message: expect.stringContaining('EIO') }]);
  });
  test('expire after 30 days, except those of the current Job', () => {
    const at = 1_767_225_600;
    const sentinel = { file: 'f', jobName: 'up', at };
    const days = (count: number) => new Date((at + count * 86_400) * 1000);
    expect(expiredSentinels([sentinel], days(31))).toEqual([sentinel]);
    expect(expiredSentinels([sentinel], days(29))).toEqual([]);
    expect(expiredSentinels([sentinel], days(31), 'up')).toEqual([]);
  });
});
