import { describe, expect, test } from '@jest/globals';
import { type RebootAction, decideReboot, type Seen } from '../../agent/reboot-decision.js';
import type { Sentinel } from '../../agent/sentinel.js';
import { bootIdOf } from '../fakes/host.js';
import { asked, entry, JOB, NOT_AFTER, operation, withdrawn } from './builders.js';

const MINUTE = 60_000;
const sentinel = (more: Partial<Sentinel> = {}): Sentinel => {
  const at = more.at ?? 1_767_225_600;
  return { file: `${more.jobName ?? JOB}-${at}`, jobName: JOB, at, bootId: bootIdOf(1), ...more };
};
const seen = (more: Partial<Seen> = {}): Seen => ({
  operation: asked(),
  sentinels: [],
  boot: { id: bootIdOf(1), since: '2026-01-01T00:00:00.000Z' },
  now: new Date('2026-01-01T00:10:00.000Z'),
  sinceStartMs: 10 * MINUTE,
  confirmed: false,
  ...more,
});
const after = { id: bootIdOf(2), since: '2026-01-01T00:12:00.000Z' };

const todo = (due: readonly RebootAction[]) => due.map(duty => duty.do).join(' ');
const answered = (due: readonly RebootAction[]) => due.find(duty => duty.do === 'answer')?.reboot;
const kept = (due: readonly RebootAction[]) => due.find(duty => duty.do === 'keep')?.entry;

describe('what is done, in which order', () => {
  const REBOOT = 'keep removeSentinels answer reboot lookAgain';
  const late = new Date('2026-01-01T00:31:00.000Z');
  const here = [sentinel()];
  const legacy = [sentinel({ bootId: undefined })];
  test.each<[string, Partial<Seen>, string]>([
    ['nothing asked: nothing done, whatever lies about', { operation: operation(), sentinels: here }, ''],
    ['ask without sentinel: waits', {}, 'answer lookAgain'],
    ['sentinel without ask: waits', { operation: operation(), sentinels: here }, ''],
    ['ask and sentinel, the ask only heard of: asks the API first', { sentinels: here }, 'confirm'],
    ['confirmed: journal first, then the sentinel goes, then the reboot', { sentinels: here, confirmed: true }, REBOOT],
    ['the sentinel of another Job: waits', { sentinels: [sentinel({ jobName: 'other' })] }, 'answer lookAgain'],
    ['sentinel of an earlier boot: no reboot', { sentinels: here, boot: after }, 'keep removeSentinels answer'],
    ['a sentinel without boot id: the ledger speaks', { sentinels: legacy, confirmed: true }, REBOOT],
    ['the same, and the ledger knows another boot', { sentinels: legacy, boot: after }, 'keep removeSentinels answer'],
    [
      'a Job that ran again after a power cut has left a sentinel of this boot: reboot',
      {
        sentinels: [sentinel(), sentinel({ at: 1_767_225_900, bootId: bootIdOf(2) })],
        boot: after,
        confirmed: true,
      },
      REBOOT,
    ],
    [
      'the clock was set back between two boots: the sentinel of this boot counts, not the one with the later time',
      {
        sentinels: [sentinel({ at: 1_767_225_900 }), sentinel({ bootId: bootIdOf(2) })],
        boot: after,
        confirmed: true,
      },
      REBOOT,
    ],
    ['a sentinel that cannot be read: waits', { unreadable: [JOB] }, 'answer lookAgain'],
    ['the same after a power cut: it may be of this boot', { unreadable: [JOB], boot: after }, 'answer lookAgain'],
    [
      'the same, and one of an earlier boot beside it',
      { unreadable: [JOB], sentinels: here, boot: after },
      'answer lookAgain',
    ],
    [
      'the same, and one of this boot beside it: reboot',
      { unreadable: [JOB], sentinels: here, confirmed: true },
      REBOOT,
    ],
    ['the same, too late: failed', { unreadable: [JOB], boot: after, now: late }, 'keep answer'],
    ['everything lost, but the boot id changed: no reboot', { boot: after }, 'keep answer'],
    ['too late to begin: failed', { now: late, sentinels: here }, 'keep removeSentinels answer'],
    ['too late for a sentinel to come: failed', { now: late }, 'keep answer'],

    ['called by this process: waits', { entry: entry(), sinceCallMs: 1 }, 'answer lookAgain'],
    ['called five minutes ago: asks the API first', { entry: entry(), sinceCallMs: 5 * MINUTE }, 'confirm'],
    [
      'called five minutes ago and confirmed: again',
      { entry: entry(), sinceCallMs: 5 * MINUTE, confirmed: true },
      'keep answer reboot lookAgain',
    ],
    ['begun before a restart of the agent: asks the API first', { entry: entry() }, 'confirm'],
    ['begun before a restart, confirmed: now', { entry: entry(), confirmed: true }, 'keep answer reboot lookAgain'],
    ['crashed before the sentinel went: it goes now', { entry: entry(), sentinels: here, confirmed: true }, REBOOT],
    ['begun, but the ask is gone without a word: only answers', { entry: entry(), operation: operation() }, 'answer'],
    ['begun and too late, the last call long ago: failed', { entry: entry(), now: late }, 'keep answer'],
    ['too late, but called just now: waits to see', { entry: entry(), now: late, sinceCallMs: 1 }, 'answer lookAgain'],
    [
      'too late, called by an earlier process a minute ago: waits to see',
      { entry: entry({ calledAt: '2026-01-01T00:30:00.000Z' }), now: late, sinceStartMs: 1 },
      'answer lookAgain',
    ],
    [
      'too late, an earlier process called nobody knows when: waits to see',
      { entry: entry({ calledAt: undefined }), now: late, sinceStartMs: 4 * MINUTE },
      'answer lookAgain',
    ],
    ['begun, and another boot id: rebooted', { entry: entry(), boot: after }, 'keep answer'],
    ['the same, too late', { entry: entry(), boot: after, now: late }, 'keep answer'],
    ['the same, withdrawn meanwhile', { entry: entry(), boot: after, operation: withdrawn() }, 'keep answer'],

    ['rebooted: answers as long as asked', { entry: entry({ state: 'Rebooted' }), boot: after }, 'answer'],
    [
      'rebooted, and a sentinel still lies there',
      { entry: entry({ state: 'Rebooted' }), sentinels: here },
      'removeSentinels answer',
    ],
    ['failed: stays so', { entry: entry({ state: 'Failed' }), confirmed: true }, 'answer'],
    ['failed, and it reboots after all: said', { entry: entry({ state: 'Failed' }), boot: after }, 'keep answer'],
    [
      'cancelled: asked again under the same id, nothing is done',
      { entry: entry({ state: 'Cancelled' }), sentinels: here },
      'removeSentinels answer',
    ],

    [
      'withdrawn before it began: written down, sentinel removed',
      { operation: withdrawn(), sentinels: here },
      'keep removeSentinels answer',
    ],
    [
      'withdrawn right after the call: waits to see',
      { operation: withdrawn(), entry: entry(), sinceCallMs: 1 },
      'answer lookAgain',
    ],
    [
      'withdrawn, the call not obeyed: cancelled',
      { operation: withdrawn(), entry: entry(), sinceCallMs: 5 * MINUTE },
      'keep answer',
    ],
    [
      'withdrawn, called by an earlier process a minute ago: waits to see',
      { operation: withdrawn(), entry: entry({ calledAt: '2026-01-01T00:09:00.000Z' }), sinceStartMs: 1 },
      'answer lookAgain',
    ],
    [
      'withdrawn, and the wall clock was set back: this process is old enough to know',
      { operation: withdrawn(), entry: entry({ calledAt: '2027-01-01T00:00:00.000Z' }), sinceStartMs: 6 * MINUTE },
      'keep answer',
    ],
    [
      'withdrawn, an earlier process called nobody knows when: waits to see',
      { operation: withdrawn(), entry: entry({ calledAt: undefined }), sinceStartMs: 4 * MINUTE },
      'answer lookAgain',
    ],
    [
      'the same, longer ago than a call lasts: cancelled',
      { operation: withdrawn(), entry: entry({ calledAt: undefined }), sinceStartMs: 5 * MINUTE },
      'keep answer',
    ],
    [
      'withdrawn after failing: cancelled',
      { operation: withdrawn(), entry: entry({ state: 'Failed' }) },
      'keep answer',
    ],
    [
      'withdrawn after failing, and it reboots after all: said',
      { operation: withdrawn(), entry: entry({ state: 'Failed' }), boot: after },
      'keep answer',
    ],
    [
      'withdrawn after failing without a call: cancelled',
      { operation: withdrawn(), entry: entry({ state: 'Failed', calledAt: undefined }) },
      'keep answer',
    ],
    ['withdrawn and cancelled: answers', { operation: withdrawn(), entry: entry({ state: 'Cancelled' }) }, 'answer'],
  ])('%s', (_sentence, facts, order) => expect(todo(decideReboot(seen(facts)))).toBe(order));
});

describe('what is said', () => {
  test('Waiting names the Job and wakes at the end of the wish', () => {
    const due = decideReboot(seen());
    expect(answered(due)).toMatchObject({ state: 'Waiting', message: expect.stringContaining(JOB) });
    expect(due.at(-1)).toEqual({ do: 'requeue', inMs: 20 * MINUTE });
  });
  test('Rebooting tells of the boot that ends', () => {
    const due = decideReboot(seen({ sentinels: [sentinel()], confirmed: true }));
    expect(answered(due)).toMatchObject({
      state: 'Rebooting',
      bootIdBefore: bootIdOf(1),
      startedAt: '2026-01-01T00:10:00.000Z',
    });
    expect(kept(due)).toMatchObject({ id: 'op-1', bootId: bootIdOf(1), notAfter: NOT_AFTER, state: 'Rebooting' });
    expect(due.at(-1)).toEqual({ do: 'requeue', inMs: 5 * MINUTE });
  });
  test('Rebooted tells of both boots', () => {
    expect(answered(decideReboot(seen({ entry: entry(), boot: after })))).toEqual({
      state: 'Rebooted',
      bootIdBefore: bootIdOf(1),
      startedAt: '2026-01-01T00:10:00.000Z',
      bootIdAfter: bootIdOf(2),
      bootedAt: after.since,
      message: undefined,
    });
  });
  test('a reboot that somebody else made has no start of ours', () => {
    const due = decideReboot(seen({ sentinels: [sentinel()], boot: after }));
    expect(answered(due)).toMatchObject({ state: 'Rebooted', bootIdBefore: bootIdOf(1), bootIdAfter: bootIdOf(2) });
    expect(answered(due)?.startedAt).toBeUndefined();
  });
  test.each([
    ['not begun', {}],
    ['begun', { entry: entry() }],
  ])('Failed says until when, and what this node took for the time: %s', (_sentence, facts) => {
    const due = decideReboot(seen({ ...facts, now: new Date('2026-01-01T00:31:00.000Z') }));
    expect(answered(due)).toMatchObject({ state: 'Failed', message: expect.stringContaining(NOT_AFTER) });
    expect(answered(due)?.message).toMatch(/clock of this node.*may differ.*2026-01-01T00:31:00.000Z/);
  });
  test('too late after a call: Rebooting for as long as it may still happen, then Failed', () => {
    const now = new Date('2026-01-01T00:31:00.000Z');
    const soon = decideReboot(seen({ entry: entry(), now, sinceCallMs: MINUTE }));
    expect(answered(soon)).toMatchObject({ state: 'Rebooting', message: expect.stringContaining('called already') });
    expect(soon.at(-1)).toEqual({ do: 'requeue', inMs: 4 * MINUTE });
    const later = decideReboot(seen({ entry: entry(), now, sinceCallMs: 5 * MINUTE }));
    expect(answered(later)?.state).toBe('Failed');
  });
  test('a second call is due at the end of the wish at the latest', () => {
    const now = new Date('2026-01-01T00:28:00.000Z');
    expect(decideReboot(seen({ entry: entry(), now, confirmed: true })).at(-1)).toEqual({
      do: 'requeue',
      inMs: 2 * MINUTE,
    });
  });
  test('withdrawn after a call: Rebooting for as long as it may still happen, then Cancelled', () => {
    const soon = decideReboot(seen({ operation: withdrawn(), entry: entry(), sinceCallMs: MINUTE }));
    expect(answered(soon)?.state).toBe('Rebooting');
    expect(soon.at(-1)).toEqual({ do: 'requeue', inMs: 4 * MINUTE });
    const later = decideReboot(seen({ operation: withdrawn(), entry: entry(), sinceCallMs: 5 * MINUTE }));
    expect(answered(later)?.state).toBe('Cancelled');
  });
});
