import { describe, expect, test } from '@jest/globals';
import { type RebootAction, decideReboot, type RebootFacts } from '../../agent/reboot-decision.js';
import type { Sentinel } from '../../agent/sentinel.js';
import { bootIdOf } from '../fakes/host.js';
import { rebootRequested, entry, JOB, NOT_AFTER, operation, rebootWithdrawn } from './builders.js';

const MINUTE = 60_000;
const sentinel = (more: Partial<Sentinel> = {}): Sentinel => {
  const at = more.at ?? 1_767_225_600;
  return { file: `${more.jobName ?? JOB}-${at}`, jobName: JOB, at, bootId: bootIdOf(1), ...more };
};
const facts = (more: Partial<RebootFacts> = {}): RebootFacts => ({
  operation: rebootRequested(),
  sentinels: [],
  boot: { id: bootIdOf(1), since: '2026-01-01T00:00:00.000Z' },
  now: new Date('2026-01-01T00:10:00.000Z'),
  sinceStartMs: 10 * MINUTE,
  confirmed: false,
  ...more,
});
const nextBoot = { id: bootIdOf(2), since: '2026-01-01T00:12:00.000Z' };

const namesOf = (actions: readonly RebootAction[]) => actions.map(action => action.do).join(' ');
const answerOf = (actions: readonly RebootAction[]) => actions.find(action => action.do === 'writeStatus')?.reboot;
const journalEntryOf = (actions: readonly RebootAction[]) =>
  actions.find(action => action.do === 'writeJournal')?.entry;

describe('the actions and their order', () => {
  const REBOOT = 'writeJournal removeSentinels writeStatus reboot requeue';
  const REPEAT = 'writeJournal writeStatus reboot requeue';
  const WAIT = 'writeStatus requeue';
  const FINISH = 'writeJournal writeStatus';
  const CLEAN_UP = 'writeJournal removeSentinels writeStatus';
  const late = new Date('2026-01-01T00:31:00.000Z');
  const thisBoot = [sentinel()];
  const noBootId = [sentinel({ bootId: undefined })];
  test.each<[string, Partial<RebootFacts>, string]>([
    ['no request: does nothing, even with a sentinel', { operation: operation(), sentinels: thisBoot }, ''],
    ['request without sentinel: waits', {}, WAIT],
    ['sentinel before the request: waits', { operation: operation(), sentinels: thisBoot }, ''],
    [
      'request and sentinel, the request from the watch only: reads the NodeAgent first',
      { sentinels: thisBoot },
      'rereadNodeAgent',
    ],
    [
      'request and sentinel, confirmed: journal, sentinel removal, reboot',
      { sentinels: thisBoot, confirmed: true },
      REBOOT,
    ],
    ['sentinel of another Job: waits', { sentinels: [sentinel({ jobName: 'other' })] }, WAIT],
    ['sentinel of an earlier boot: no reboot', { sentinels: thisBoot, boot: nextBoot }, CLEAN_UP],
    [
      'sentinel without boot id: compares with the ledger and reboots',
      { sentinels: noBootId, confirmed: true },
      REBOOT,
    ],
    [
      'sentinel without boot id, the ledger has another boot: no reboot',
      { sentinels: noBootId, boot: nextBoot },
      CLEAN_UP,
    ],
    [
      'Job that ran again after a power failure and left a sentinel of this boot: reboots',
      {
        sentinels: [sentinel(), sentinel({ at: 1_767_225_900, bootId: bootIdOf(2) })],
        boot: nextBoot,
        confirmed: true,
      },
      REBOOT,
    ],
    [
      'clock set back between two boots: the sentinel of this boot counts, not the one with the later time',
      {
        sentinels: [sentinel({ at: 1_767_225_900 }), sentinel({ bootId: bootIdOf(2) })],
        boot: nextBoot,
        confirmed: true,
      },
      REBOOT,
    ],
    ['unreadable sentinel: waits', { unreadable: [JOB] }, WAIT],
    [
      'unreadable sentinel after a power failure: waits, since it may be of this boot',
      { unreadable: [JOB], boot: nextBoot },
      WAIT,
    ],
    [
      'unreadable sentinel next to one of an earlier boot: waits',
      { unreadable: [JOB], sentinels: thisBoot, boot: nextBoot },
      WAIT,
    ],
    [
      'unreadable sentinel next to one of this boot: reboots',
      { unreadable: [JOB], sentinels: thisBoot, confirmed: true },
      REBOOT,
    ],
    ['unreadable sentinel, deadline passed: failed', { unreadable: [JOB], boot: nextBoot, now: late }, FINISH],
    ['journal and sentinel lost, the boot id changed: no reboot', { boot: nextBoot }, FINISH],
    ['deadline passed before the start: failed', { now: late, sentinels: thisBoot }, CLEAN_UP],
    ['deadline passed without a sentinel: failed', { now: late }, FINISH],

    ['called by this process just now: waits', { entry: entry(), sinceCallMs: 1 }, WAIT],
    [
      'called five minutes ago: reads the NodeAgent first',
      { entry: entry(), sinceCallMs: 5 * MINUTE },
      'rereadNodeAgent',
    ],
    [
      'called five minutes ago, confirmed: calls again',
      { entry: entry(), sinceCallMs: 5 * MINUTE, confirmed: true },
      REPEAT,
    ],
    ['started before a restart of the agent: reads the NodeAgent first', { entry: entry() }, 'rereadNodeAgent'],
    ['started before a restart of the agent, confirmed: calls now', { entry: entry(), confirmed: true }, REPEAT],
    [
      'crashed before the sentinel was removed: removes it now',
      { entry: entry(), sentinels: thisBoot, confirmed: true },
      REBOOT,
    ],
    [
      'started, the request disappeared without a withdrawal: only answers',
      { entry: entry(), operation: operation() },
      'writeStatus',
    ],
    ['deadline passed, last call long ago: failed', { entry: entry(), now: late }, FINISH],
    ['deadline passed right after a call: waits', { entry: entry(), now: late, sinceCallMs: 1 }, WAIT],
    [
      'deadline passed, called by an earlier process a minute ago: waits',
      { entry: entry({ calledAt: '2026-01-01T00:30:00.000Z' }), now: late, sinceStartMs: 1 },
      WAIT,
    ],
    [
      'deadline passed, called by an earlier process at an unknown time: waits',
      { entry: entry({ calledAt: undefined }), now: late, sinceStartMs: 4 * MINUTE },
      WAIT,
    ],
    ['started, another boot id: rebooted', { entry: entry(), boot: nextBoot }, FINISH],
    ['started, another boot id, deadline passed: rebooted', { entry: entry(), boot: nextBoot, now: late }, FINISH],
    [
      'started, another boot id, withdrawn meanwhile: rebooted',
      { entry: entry(), boot: nextBoot, operation: rebootWithdrawn() },
      FINISH,
    ],

    [
      'rebooted: answers as long as the request exists',
      { entry: entry({ state: 'Rebooted' }), boot: nextBoot },
      'writeStatus',
    ],
    [
      'rebooted, a sentinel still exists: removes it',
      { entry: entry({ state: 'Rebooted' }), sentinels: thisBoot },
      'removeSentinels writeStatus',
    ],
    ['failed: stays failed', { entry: entry({ state: 'Failed' }), confirmed: true }, 'writeStatus'],
    ['failed, another boot id: rebooted', { entry: entry({ state: 'Failed' }), boot: nextBoot }, FINISH],
    [
      'cancelled, requested again under the same id: no reboot',
      { entry: entry({ state: 'Cancelled' }), sentinels: thisBoot },
      'removeSentinels writeStatus',
    ],

    [
      'withdrawn before the start: cancelled, sentinel removed',
      { operation: rebootWithdrawn(), sentinels: thisBoot },
      CLEAN_UP,
    ],
    ['withdrawn right after the call: waits', { operation: rebootWithdrawn(), entry: entry(), sinceCallMs: 1 }, WAIT],
    [
      'withdrawn, the call had no effect: cancelled',
      { operation: rebootWithdrawn(), entry: entry(), sinceCallMs: 5 * MINUTE },
      FINISH,
    ],
    [
      'withdrawn, called by an earlier process a minute ago: waits',
      { operation: rebootWithdrawn(), entry: entry({ calledAt: '2026-01-01T00:09:00.000Z' }), sinceStartMs: 1 },
      WAIT,
    ],
    [
      'withdrawn, wall clock set back: cancelled, by the age of this process',
      {
        operation: rebootWithdrawn(),
        entry: entry({ calledAt: '2027-01-01T00:00:00.000Z' }),
        sinceStartMs: 6 * MINUTE,
      },
      FINISH,
    ],
    [
      'withdrawn, called by an earlier process at an unknown time: waits',
      { operation: rebootWithdrawn(), entry: entry({ calledAt: undefined }), sinceStartMs: 4 * MINUTE },
      WAIT,
    ],
    [
      'withdrawn, called at an unknown time but over five minutes ago: cancelled',
      { operation: rebootWithdrawn(), entry: entry({ calledAt: undefined }), sinceStartMs: 5 * MINUTE },
      FINISH,
    ],
    [
      'withdrawn after it failed: cancelled',
      { operation: rebootWithdrawn(), entry: entry({ state: 'Failed' }) },
      FINISH,
    ],
    [
      'withdrawn after it failed, another boot id: rebooted',
      { operation: rebootWithdrawn(), entry: entry({ state: 'Failed' }), boot: nextBoot },
      FINISH,
    ],
    [
      'withdrawn after it failed without a call: cancelled',
      { operation: rebootWithdrawn(), entry: entry({ state: 'Failed', calledAt: undefined }) },
      FINISH,
    ],
    [
      'withdrawn and already cancelled: answers',
      { operation: rebootWithdrawn(), entry: entry({ state: 'Cancelled' }) },
      'writeStatus',
    ],
  ])('%s', (_sentence, overrides, order) => expect(namesOf(decideReboot(facts(overrides)))).toBe(order));
});

describe('the answer', () => {
  test('Waiting names the Job, and the agent reconciles again at the deadline', () => {
    const actions = decideReboot(facts());
    expect(answerOf(actions)).toMatchObject({ state: 'Waiting', message: expect.stringContaining(JOB) });
    expect(actions.at(-1)).toEqual({ do: 'requeue', inMs: 20 * MINUTE });
  });
  test('Rebooting contains the boot id before the reboot', () => {
    const actions = decideReboot(facts({ sentinels: [sentinel()], confirmed: true }));
    expect(answerOf(actions)).toMatchObject({
      state: 'Rebooting',
      bootIdBefore: bootIdOf(1),
      startedAt: '2026-01-01T00:10:00.000Z',
    });
    expect(journalEntryOf(actions)).toMatchObject({
      id: 'op-1',
      bootId: bootIdOf(1),
      notAfter: NOT_AFTER,
      state: 'Rebooting',
    });
    expect(actions.at(-1)).toEqual({ do: 'requeue', inMs: 5 * MINUTE });
  });
  test('Rebooted contains both boot ids', () => {
    expect(answerOf(decideReboot(facts({ entry: entry(), boot: nextBoot })))).toEqual({
      state: 'Rebooted',
      bootIdBefore: bootIdOf(1),
      startedAt: '2026-01-01T00:10:00.000Z',
      bootIdAfter: bootIdOf(2),
      bootedAt: nextBoot.since,
      recordedOnHost: true,
      message: undefined,
    });
  });
  test('Rebooted has no start time when something else rebooted the machine', () => {
    const actions = decideReboot(facts({ sentinels: [sentinel()], boot: nextBoot }));
    expect(answerOf(actions)).toMatchObject({ state: 'Rebooted', bootIdBefore: bootIdOf(1), bootIdAfter: bootIdOf(2) });
    expect(answerOf(actions)?.startedAt).toBeUndefined();
  });
  test.each([
    ['not started', {}],
    ['started', { entry: entry() }],
  ])('Failed contains the deadline and the time of this node: %s', (_sentence, overrides) => {
    const actions = decideReboot(facts({ ...overrides, now: new Date('2026-01-01T00:31:00.000Z') }));
    expect(answerOf(actions)).toMatchObject({ state: 'Failed', message: expect.stringContaining(NOT_AFTER) });
    expect(answerOf(actions)?.message).toMatch(/clock of this node.*may differ.*2026-01-01T00:31:00.000Z/);
  });
  test('Failed after the deadline comes only when a call can no longer take effect', () => {
    const now = new Date('2026-01-01T00:31:00.000Z');
    const soon = decideReboot(facts({ entry: entry(), now, sinceCallMs: MINUTE }));
    expect(answerOf(soon)).toMatchObject({ state: 'Rebooting', message: expect.stringContaining('already called') });
    expect(soon.at(-1)).toEqual({ do: 'requeue', inMs: 4 * MINUTE });
    const later = decideReboot(facts({ entry: entry(), now, sinceCallMs: 5 * MINUTE }));
    expect(answerOf(later)?.state).toBe('Failed');
  });
  test('Rebooting is reconsidered at the deadline at the latest', () => {
    const now = new Date('2026-01-01T00:28:00.000Z');
    expect(decideReboot(facts({ entry: entry(), now, confirmed: true })).at(-1)).toEqual({
      do: 'requeue',
      inMs: 2 * MINUTE,
    });
  });
  test('Cancelled comes only when a call can no longer take effect', () => {
    const soon = decideReboot(facts({ operation: rebootWithdrawn(), entry: entry(), sinceCallMs: MINUTE }));
    expect(answerOf(soon)?.state).toBe('Rebooting');
    expect(soon.at(-1)).toEqual({ do: 'requeue', inMs: 4 * MINUTE });
    const later = decideReboot(facts({ operation: rebootWithdrawn(), entry: entry(), sinceCallMs: 5 * MINUTE }));
    expect(answerOf(later)?.state).toBe('Cancelled');
  });
});
