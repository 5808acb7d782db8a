import { describe, expect, test } from '@jest/globals';
import { decideReboot, type RebootFacts } from '../../agent/reboot-decision.js';
import { bootIdOf } from '../fakes/host.js';
import { JOB, NOT_AFTER, rebootRequested } from './builders.js';

/** A request for a Job that has left no sentinel, and whose command the controller saw succeed in the first boot. */
const facts = (more: Partial<RebootFacts>): RebootFacts => ({
  operation: {
    ...rebootRequested(),
    reboot: { jobName: JOB, notAfter: NOT_AFTER, succeededIn: bootIdOf(1) },
  },
  sentinels: [],
  boot: { id: bootIdOf(1), since: '2026-01-01T00:00:00.000Z' },
  now: new Date('2026-01-01T00:10:00.000Z'),
  sinceStartMs: 600_000,
  confirmed: true,
  ...more,
});
const nextBoot = { id: bootIdOf(2), since: '2026-01-01T00:12:00.000Z' };
const sentinelOf = (boot: number) => ({
  file: `${JOB}-1767225600`,
  jobName: JOB,
  at: 1_767_225_600,
  bootId: bootIdOf(boot),
});

describe('A reboot that is requested for a success without a sentinel', () => {
  test.each<[string, Partial<RebootFacts>, string]>([
    ['happens in the boot of the success', {}, 'writeJournal writeStatus reboot requeue'],
    ['is read again first when only the watch has reported it', { confirmed: false }, 'rereadNodeAgent'],
    ['does not happen in a later boot', { boot: nextBoot }, 'writeJournal writeStatus'],
    ['happens although a sentinel cannot be read', { unreadable: [JOB] }, 'writeJournal writeStatus reboot requeue'],
    [
      'happens although a sentinel of an earlier boot is left',
      { sentinels: [sentinelOf(3)] },
      'writeJournal removeSentinels writeStatus reboot requeue',
    ],
  ])('%s', (_title, more, expected) =>
    expect(
      decideReboot(facts(more))
        .map(action => action.do)
        .join(' '),
    ).toBe(expected),
  );

  test('is reported as done in a later boot', () =>
    expect(decideReboot(facts({ boot: nextBoot })).find(action => action.do === 'writeStatus')?.reboot).toMatchObject({
      state: 'Rebooted',
      bootIdBefore: bootIdOf(1),
      bootIdAfter: bootIdOf(2),
    }));
});
