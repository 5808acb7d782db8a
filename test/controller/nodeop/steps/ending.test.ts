import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, node, pod, ran, reached, secondsAgo, NOW, job } from '../../../builders.js';
import { outcomeOf, MARK, CORDON, REBOOT, answering } from './walk-outcome.js';

describe('A Job that was given up on', () => {
  const failed = { phase: 'Failed' as const, reason: 'NotStarted' as const, message: 'x', at: NOW.toISOString() };
  const stopping = { ledger: ran('Stop', { result: failed }), isReported: true };
  const suspended = { ...stopping, job: job('suspended'), jobPods: [pod('job-x')] };
  test.each<[string, Partial<Facts>, string]>([
    [
      'is stopped before anything else',
      { ...stopping, ledger: ran('Run', { result: failed }), job: job('running') },
      'Stop: record Stop',
    ],
    ['is suspended, so that nothing of it starts any more', { ...stopping, job: job('running') }, 'Stop: suspendJob'],
    ['is waited for while its Pod ends', suspended, 'Stop: wait JobRunning'],
    [
      'is waited for beyond the grace of its Pod',
      { ...suspended, jobPods: [pod('job-x', { terminating: 299 })] },
      'Stop: wait JobRunning',
    ],
    [
      'is not waited for without end when its Pod never ends',
      { ...suspended, jobPods: [pod('job-x', { terminating: 300 })] },
      'Release: release',
    ],
    [
      'is not waited for on a node that does not answer',
      { ...suspended, node: node('n1', { ready: false }) },
      'Release: release',
    ],
    ['is waited for when only its Pod is left', { ...stopping, jobPods: [pod('job-x')] }, 'Stop: wait JobRunning'],
    ['is left alone when it has ended by itself', { ...stopping, job: job('failed') }, 'Release: release'],
    [
      'is left alone when it is another one',
      { ...stopping, ledger: ran('Stop', { result: failed, job: { name: 'job', uid: 'other' } }), job: job('running') },
      'Release: release',
    ],
  ])('%s', (_sentence, seen, expected) => expect(outcomeOf(facts({}, seen))).toBe(expected));
});

describe('The ending', () => {
  const failed = { phase: 'Failed' as const, reason: 'JobFailed' as const, message: 'x', at: NOW.toISOString() };
  const completed = { phase: 'Completed' as const, message: 'x', at: NOW.toISOString() };
  const cordoned = { node: node('n1', { cordoned: true, mark: MARK }) };
  const asked = { reboot: { jobName: 'job', notAfter: secondsAgo(-1) } };
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'uncordons what it cordoned',
      CORDON,
      { ...cordoned, ledger: ran('Run', { cordoned: true, result: completed }) },
      'Uncordon: record Uncordon',
    ],
    [
      'in a write of its own',
      CORDON,
      { ...cordoned, ledger: ran('Uncordon', { cordoned: true, result: completed }) },
      'Uncordon: uncordon',
    ],
    [
      'undoes the cordon when the Job never began',
      CORDON,
      { ...cordoned, ledger: reached('Uncordon', { cordoned: true, result: failed }) },
      'Uncordon: uncordon',
    ],
    [
      'leaves a node cordoned whose Job failed',
      CORDON,
      { ...cordoned, ledger: ran('Run', { cordoned: true, result: failed }), isReported: true },
      'Release: release',
    ],
    [
      'unless asked otherwise',
      { ...CORDON, uncordonOnFailure: true },
      { ...cordoned, ledger: ran('Uncordon', { cordoned: true, result: failed }) },
      'Uncordon: uncordon',
    ],
    [
      'never uncordons for somebody else',
      CORDON,
      {
        node: node('n1', { cordoned: true, mark: 'default/b@b' }),
        ledger: ran('Run', { cordoned: true, result: completed }),
        isReported: true,
      },
      'Release: release',
    ],
    [
      'lets go only when the end is told',
      {},
      { ledger: ran('Run', { result: completed }) },
      'Release: wait Progressing',
    ],
    [
      'takes a wish to reboot back first',
      REBOOT,
      { ledger: ran('Reboot', { ...asked, result: failed }) },
      'Withdraw: record Withdraw',
    ],
    [
      'in a write of its own, too',
      REBOOT,
      { ledger: ran('Withdraw', { ...asked, result: failed }) },
      'Withdraw: record',
    ],
    [
      'waits for the agent to say it will not',
      REBOOT,
      { ledger: ran('Withdraw', { rebootWithdrawn: true, result: failed }) },
      'Withdraw: wait Unreachable',
    ],
    [
      'goes on when it said so',
      REBOOT,
      {
        ledger: ran('Withdraw', { rebootWithdrawn: true, result: failed }),
        agent: answering(undefined, { state: 'Cancelled' }),
        isReported: true,
      },
      'Release: release',
    ],
    [
      'does not wait for the agent of a node that is gone',
      REBOOT,
      { node: undefined, ledger: ran('Reboot', { ...asked, result: failed }), isReported: true },
      'Release: release',
    ],
    [
      'gives its Job a time to live only now that its end is told',
      { ttlSecondsAfterFinished: 60 },
      { ledger: ran('Run', { result: completed }), isReported: true, job: job('complete') },
      'Release: expireJob',
    ],
    [
      'removes its helpers before it lets go',
      {},
      { ledger: ran('Run', { result: completed }), isReported: true, pullPod: pod('pull') },
      'Release: deletePods',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});
