import { describe, expect, test } from '@jest/globals';
import { Journal, parseEntries } from '../../agent/journal.js';
import { forgotten, sentinelOf, sentinelsIn } from '../../agent/sentinel.js';
import { bootIdOf, fakeHost } from '../fakes/host.js';
import { entry } from './builders.js';

const DIR = '/usr/local/.kairos';

describe('the journal', () => {
  test('what was kept is there after a restart', async () => {
    const host = fakeHost({});
    const { journal, damaged } = await Journal.open(host, DIR);
    expect(damaged).toBe(false);
    await journal.keep(entry());
    await journal.keep(entry({ state: 'Rebooted' }));
    const again = await Journal.open(host, DIR);
    expect(again.journal.entry('op-1')).toEqual(entry({ state: 'Rebooted' }));
    expect(again.journal.entry('op-2')).toBeUndefined();
  });

  test('what could not be written is not known either', async () => {
    const host = fakeHost({});
    const { journal } = await Journal.open(host, DIR);
    host.set({ diskFault: 'EIO' });
    await expect(journal.keep(entry())).rejects.toThrow('EIO');
    expect(journal.entry('op-1')).toBeUndefined();
  });

  test('old entries go, the newest stay', async () => {
    const host = fakeHost({});
    const { journal } = await Journal.open(host, DIR);
    for (let n = 1; n <= 12; n += 1) await journal.keep(entry({ id: `op-${n}` }));
    const { journal: again } = await Journal.open(host, DIR);
    expect(again.entry('op-4')).toBeUndefined();
    expect(again.entry('op-5')).toBeDefined();
    expect(again.entry('op-12')).toBeDefined();
  });

  test.each([
    ['empty', ''],
    ['cut off', '{"version":1,"entries":[{"id":'],
    ['another shape', '[]'],
    ['no entries', '{"version":1}'],
    ['an entry without boot id', JSON.stringify({ entries: [{ ...entry(), bootId: undefined }] })],
    ['an unknown state', JSON.stringify({ entries: [{ ...entry(), state: 'Odd' }] })],
    ['a number for a text', JSON.stringify({ entries: [{ ...entry(), calledAt: 1 }] })],
  ])('a damaged file is no journal: %s', (_sentence, text) => expect(parseEntries(text)).toBeUndefined());

  test('a damaged file is put aside', async () => {
    const host = fakeHost({ [`${DIR}/journal.json`]: 'x' });
    expect((await Journal.open(host, DIR)).damaged).toBe(true);
    expect(host.files.get(`${DIR}/journal.json.damaged`)).toBe('x');
  });
});

describe('sentinels', () => {
  test.each([
    ['up-n1-1767225600', 'up-n1'],
    ['up-n1-2-1767225600', 'up-n1-2'],
    ['up.x-n1-1767225600', 'up.x-n1'],
  ])('%s is of the Job %s', (file, jobName) => {
    expect(sentinelOf(file, `${bootIdOf(1)}\n`)).toEqual({ file, jobName, at: 1_767_225_600, bootId: bootIdOf(1) });
  });
  test.each(['journal.json', '.12.new', 'up-n1', '-1767225600', 'up-n1-12', '../up-1767225600'])('%s is none', file =>
    expect(sentinelOf(file, '')).toBeUndefined(),
  );
  test.each(['', 'completed', `${bootIdOf(1)} and more`])('a text without boot id is no claim: "%s"', text => {
    expect(sentinelOf('up-n1-1767225600', text)?.bootId).toBeUndefined();
  });
  test('all of a folder, and nothing else of it', async () => {
    const host = fakeHost({ [`${DIR}/journal.json`]: '{}', [`${DIR}/up-n1-1767225600`]: bootIdOf(1) });
    expect((await sentinelsIn(host, DIR)).map(one => one.file)).toEqual(['up-n1-1767225600']);
  });
  test('a month old and asked for by nobody: forgotten', () => {
    const at = 1_767_225_600;
    const one = { file: 'f', jobName: 'up', at };
    const days = (count: number) => new Date((at + count * 86_400) * 1000);
    expect(forgotten([one], days(31))).toEqual([one]);
    expect(forgotten([one], days(29))).toEqual([]);
    expect(forgotten([one], days(31), 'up')).toEqual([]);
  });
});
