import { describe, expect, test } from '@jest/globals';
import { Journal, parseEntries, recalled } from '../../agent/journal.js';
import type { NodeAgentStatus } from '../../api/node-agent.js';
import { forgotten, sentinelOf, sentinelsIn } from '../../agent/sentinel.js';
import { bootIdOf, fakeHost } from '../fakes/host.js';
import { asked, entry, JOB, withdrawn } from './builders.js';

const DIR = '/usr/local/.kairos';

describe('the journal', () => {
  test('what was kept is there after a restart', async () => {
    const host = fakeHost({});
    const { journal, damaged } = await Journal.open(host, DIR);
    expect(damaged).toBeUndefined();
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
  ])('a damaged file is no journal: %s', (_sentence, text) =>
    expect(parseEntries(text)).toEqual({ entries: [], damaged: true }),
  );

  test.each([
    ['an entry without boot id', { ...entry(), bootId: undefined }],
    ['an unknown state', { ...entry(), state: 'Odd' }],
    ['a number for a text', { ...entry(), calledAt: 1 }],
    ['none at all', null],
  ])('a damaged entry does not take the others with it: %s', (_sentence, broken) => {
    const good = entry({ id: 'op-2' });
    const text = JSON.stringify({ version: 1, entries: [broken, good] });
    expect(parseEntries(text)).toEqual({ entries: [good], damaged: true });
  });

  test('a damaged file is put aside', async () => {
    const host = fakeHost({ [`${DIR}/journal.json`]: 'x' });
    expect((await Journal.open(host, DIR)).damaged).toContain('put aside');
    expect(host.files.get(`${DIR}/journal.json.damaged`)).toBe('x');
  });

  test('on a disk that takes nothing it stays where it is, and the agent starts all the same', async () => {
    const host = fakeHost({ [`${DIR}/journal.json`]: 'x' });
    host.set({ diskFault: 'EROFS: read-only file system' });
    expect((await Journal.open(host, DIR)).damaged).toContain('not put aside: EROFS');
  });

  test('one that cannot be read is said, and does not keep the agent from starting', async () => {
    const host = fakeHost({ [`${DIR}/journal.json`]: '{}' });
    host.set({ unreadable: [`${DIR}/journal.json`] });
    const { journal, damaged } = await Journal.open(host, DIR);
    expect(damaged).toContain('EIO');
    expect(journal.entry('op-1')).toBeUndefined();
  });
});

describe('when the journal was lost, what was told speaks for it', () => {
  const told = { state: 'Rebooting' as const, bootIdBefore: bootIdOf(1), startedAt: '2026-01-01T00:10:00.000Z' };
  test('a reboot that was begun, called nobody knows when', () => {
    const status = { operation: { id: 'op-1', reboot: told } };
    expect(recalled(asked(), status)).toEqual(entry({ calledAt: undefined }));
    expect(recalled(withdrawn(), status)).toMatchObject({ jobName: JOB, bootId: bootIdOf(1), state: 'Rebooting' });
  });
  test.each(['Rebooted', 'Cancelled', 'Failed'] as const)('%s is final: nothing is begun anew', state => {
    const reboot = { ...told, state, bootIdAfter: bootIdOf(2), message: 'why' };
    expect(recalled(asked(), { operation: { id: 'op-1', reboot } })).toMatchObject({
      state,
      bootId: bootIdOf(1),
      bootIdAfter: bootIdOf(2),
      message: 'why',
    });
  });
  test.each<[string, NodeAgentStatus | undefined]>([
    ['nothing was told', undefined],
    ['of another operation', { operation: { id: 'op-0', reboot: told } }],
    ['waiting is not begun', { operation: { id: 'op-1', reboot: { ...told, state: 'Waiting' } } }],
    ['of no boot', { operation: { id: 'op-1', reboot: { state: 'Rebooting' } } }],
  ])('no word: %s', (_sentence, status) => expect(recalled(asked(), status)).toBeUndefined());
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
    expect((await sentinelsIn(host, DIR)).sentinels.map(one => one.file)).toEqual(['up-n1-1767225600']);
  });
  test('one that cannot be read does not hide the others', async () => {
    const [bad, good] = [`${DIR}/odd-1767225600`, `${DIR}/up-n1-1767225600`];
    const host = fakeHost({ [bad]: '', [good]: bootIdOf(1) });
    host.set({ unreadable: [bad] });
    const { sentinels, unreadable } = await sentinelsIn(host, DIR);
    expect(sentinels.map(one => one.file)).toEqual(['up-n1-1767225600']);
    expect(unreadable).toEqual([{ jobName: 'odd', path: bad, why: expect.stringContaining('EIO') }]);
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
