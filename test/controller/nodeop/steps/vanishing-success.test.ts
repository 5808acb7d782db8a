import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { commandPod, facts, job, ran, secondsAgo } from '../../../builders.js';
import { outcomeOf } from './walk-outcome.js';

const ENDED = { terminated: { exitCode: 0 } };
const RECORDED = { name: 'job', uid: 'uid-job' };

/** The ledger of a Job whose command was seen to have succeeded a second ago. */
const SUCCEEDED = ran('Run', { job: { ...RECORDED, succeededIn: 'boot-1' }, stepTimes: { Succeeded: secondsAgo(1) } });

const changeOf = (seen: Facts) => {
  const { result } = walk(seen);
  return result.is === 'act' && result.action.do === 'record' ? result.action.change : undefined;
};

describe('A Job whose command has succeeded and whose Pod has not reported its phase', () => {
  const ended = commandPod({ containers: [{ name: 'nodeop', state: ENDED }] });
  const deleted = { ...job('running'), metadata: { ...job('running').metadata, deletionTimestamp: secondsAgo(1) } };
  test.each<[string, Partial<Facts>, string]>([
    ['has its success recorded when it is deleted', { job: deleted }, 'record'],
    ['completes the node when it is deleted then', { job: deleted, ledger: SUCCEEDED }, 'Completed Done'],
  ])('%s', (_title, seen, expected) =>
    expect(outcomeOf(facts({}, { ledger: ran('Run', { job: RECORDED }), jobPods: [ended], ...seen }))).toBe(
      `Run: ${expected}`,
    ),
  );

  test('has its success recorded instead of being resumed when it was suspended', () => {
    const seen = { ledger: ran('Run', { job: RECORDED }), job: job('suspended'), jobPods: [ended] };
    expect(changeOf(facts({}, seen))?.job).toEqual({ ...RECORDED, succeededIn: 'boot-1' });
  });
});
