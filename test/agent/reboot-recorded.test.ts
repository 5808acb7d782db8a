/** Whether the answer of the agent is proved by the disk of its machine: another machine may have registered under the same name. */
import { describe, expect, test } from '@jest/globals';
import { type RebootAction, decideReboot, type RebootFacts } from '../../agent/reboot-decision.js';
import { bootIdOf } from '../fakes/host.js';
import { entry, JOB, rebootRequested } from './builders.js';

const facts = (more: Partial<RebootFacts> = {}): RebootFacts => ({
  operation: rebootRequested(),
  sentinels: [],
  boot: { id: bootIdOf(1), since: '2026-01-01T00:00:00.000Z' },
  now: new Date('2026-01-01T00:10:00.000Z'),
  sinceStartMs: 600_000,
  confirmed: false,
  ...more,
});
const nextBoot = { id: bootIdOf(2), since: '2026-01-01T00:12:00.000Z' };

const sentinel = () => ({ file: `${JOB}-1767225600`, jobName: JOB, at: 1_767_225_600, bootId: bootIdOf(1) });

const answerOf = (actions: readonly RebootAction[]) => actions.find(action => action.do === 'writeStatus')?.reboot;
const journalEntryOf = (actions: readonly RebootAction[]) =>
  actions.find(action => action.do === 'writeJournal')?.entry;

describe('the answer Rebooted', () => {
  test.each<[string, Partial<RebootFacts>, true | undefined]>([
    ['by its entry in the journal', { entry: entry() }, true],
    ['by the sentinel of the Job, when something else rebooted the machine', { sentinels: [sentinel()] }, true],
    ['not by an entry that the status of the NodeAgent had', { entry: entry({ isInferred: true }) }, undefined],
    ['not by the boot id in the ledger, which another machine of the same name finds as well', {}, undefined],
  ])('is recorded on the host: %s', (_sentence, overrides, recordedOnHost) => {
    const actions = decideReboot(facts({ ...overrides, boot: nextBoot }));
    expect(answerOf(actions)).toMatchObject({ state: 'Rebooted' });
    expect(answerOf(actions)?.recordedOnHost).toBe(recordedOnHost);
    const later = decideReboot(facts({ entry: journalEntryOf(actions), boot: nextBoot }));
    expect(answerOf(later)?.recordedOnHost).toBe(recordedOnHost);
  });
  test('is recorded on the host that calls the reboot again after its journal was lost', () => {
    const again = decideReboot(facts({ entry: entry({ isInferred: true, calledAt: undefined }), confirmed: true }));
    const done = decideReboot(facts({ entry: journalEntryOf(again), boot: nextBoot }));
    expect(answerOf(done)).toMatchObject({ state: 'Rebooted', recordedOnHost: true });
  });
});
