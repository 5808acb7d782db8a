import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { commandPod, facts, node, pod, ran, reached, secondsAgo, NOW, job } from '../../../builders.js';
import { outcomeOf, MARK, CORDON, REBOOT, answering } from './walk-outcome.js';

describe('The Job of a failed node', () => {
  const failed = { phase: 'Failed' as const, reason: 'NotStarted' as const, message: 'x', at: NOW.toISOString() };
  const stopping = { ledger: ran('Stop', { result: failed }), isReported: true };
  const suspended = { ...stopping, job: job('suspended'), jobPods: [pod('job-x')] };
  test.each<[string, Partial<Facts>, string]>([
    [
      'is stopped before anything else is undone',
      { ...stopping, ledger: ran('Run', { result: failed }), job: job('running') },
      'Stop: record Stop',
    ],
    ['is suspended, so that it starts no more Pods', { ...stopping, job: job('running') }, 'Stop: suspendJob'],
    ['is waited for while its Pod ends', suspended, 'Stop: wait JobRunning'],
    [
      'is waited for beyond the grace period of its Pod',
      { ...suspended, jobPods: [pod('job-x', { terminating: 299 })] },
      'Stop: wait JobRunning',
    ],
    [
      'is not waited for any more 300 s after the grace period of its Pod',
      { ...suspended, jobPods: [pod('job-x', { terminating: 300 })] },
      'Release: release',
    ],
    [
      'is not waited for on a node that is not Ready',
      { ...suspended, node: node('n1', { ready: false }) },
      'Release: release',
    ],
    [
      'is waited for when it is deleted but its Pod is not',
      { ...stopping, jobPods: [pod('job-x')] },
      'Stop: wait JobRunning',
    ],
    ['is left alone when it has finished', { ...stopping, job: job('failed') }, 'Release: release'],
    [
      'is left alone when its uid is not the recorded one',
      { ...stopping, ledger: ran('Stop', { result: failed, job: { name: 'job', uid: 'other' } }), job: job('running') },
      'Release: release',
    ],
  ])('%s', (_sentence, seen, expected) => expect(outcomeOf(facts({}, seen))).toBe(expected));
});

describe('A node with a result', () => {
  const failed = { phase: 'Failed' as const, reason: 'JobFailed' as const, message: 'x', at: NOW.toISOString() };
  const completed = { phase: 'Completed' as const, message: 'x', at: NOW.toISOString() };
  const cordoned = { node: node('n1', { cordoned: true, mark: MARK }) };
  const createdJob = (metadata: object = {}) => ({
    ...job('suspended'),
    metadata: { ...job('suspended').metadata, generation: 1, ...metadata },
  });
  const asked = { reboot: { jobName: 'job', notAfter: secondsAgo(-1) } };
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'is recorded as being uncordoned',
      CORDON,
      { ...cordoned, ledger: ran('Run', { cordoned: true, result: completed }) },
      'Uncordon: record Uncordon',
    ],
    [
      'is uncordoned after the step is recorded',
      CORDON,
      { ...cordoned, ledger: ran('Uncordon', { cordoned: true, result: completed }) },
      'Uncordon: uncordon',
    ],
    [
      'is uncordoned when its Job never started',
      CORDON,
      { ...cordoned, ledger: reached('Uncordon', { cordoned: true, result: failed }) },
      'Uncordon: uncordon',
    ],
    [
      'stays cordoned when its Job failed',
      CORDON,
      { ...cordoned, ledger: ran('Run', { cordoned: true, result: failed }), isReported: true },
      'Release: release',
    ],
    [
      'is uncordoned after a failed Job with uncordonOnFailure',
      { ...CORDON, uncordonOnFailure: true },
      { ...cordoned, ledger: ran('Uncordon', { cordoned: true, result: failed }) },
      'Uncordon: uncordon',
    ],
    [
      'keeps the cordon of another operation',
      CORDON,
      {
        node: node('n1', { cordoned: true, mark: 'default/b@b' }),
        ledger: ran('Run', { cordoned: true, result: completed }),
        isReported: true,
      },
      'Release: release',
    ],
    [
      'is released only when the result is in the status',
      {},
      { ledger: ran('Run', { result: completed }) },
      'Release: wait Progressing',
    ],
    [
      'has the withdrawal of its reboot request recorded first',
      REBOOT,
      { ledger: ran('Reboot', { ...asked, result: failed }) },
      'Withdraw: record Withdraw',
    ],
    [
      'has its reboot request withdrawn after the step is recorded',
      REBOOT,
      { ledger: ran('Withdraw', { ...asked, result: failed }) },
      'Withdraw: record',
    ],
    [
      'waits for the agent to confirm the withdrawal',
      REBOOT,
      { ledger: ran('Withdraw', { rebootWithdrawn: true, result: failed }) },
      'Withdraw: wait Unreachable',
    ],
    [
      'is released when the agent has confirmed the withdrawal',
      REBOOT,
      {
        ledger: ran('Withdraw', { rebootWithdrawn: true, result: failed }),
        agent: answering(undefined, { state: 'Cancelled' }),
        isReported: true,
      },
      'Release: release',
    ],
    [
      'does not wait for an agent when it was removed from the cluster',
      REBOOT,
      { node: undefined, ledger: ran('Reboot', { ...asked, result: failed }), isReported: true },
      'Release: release',
    ],
    [
      'gives its Job a time to live when the result is in the status',
      { ttlSecondsAfterFinished: 60 },
      { ledger: ran('Run', { result: completed }), isReported: true, job: job('complete') },
      'Release: expireJob',
    ],
    [
      'has its Job deleted when that was stopped and has a time to live',
      { ttlSecondsAfterFinished: 60 },
      { ledger: ran('Run', { result: failed }), isReported: true, job: job('suspended') },
      'Release: deleteJob',
    ],
    [
      'is released while its stopped Job is being deleted',
      { ttlSecondsAfterFinished: 60 },
      {
        ledger: ran('Run', { result: failed }),
        isReported: true,
        job: createdJob({ deletionTimestamp: secondsAgo(1) }),
      },
      'Release: release',
    ],
    [
      'keeps its stopped Job when it has no time to live',
      {},
      { ledger: ran('Run', { result: failed }), isReported: true, job: job('suspended') },
      'Release: release',
    ],
    [
      'is uncordoned when its Job was created and never resumed',
      CORDON,
      { ...cordoned, ledger: ran('Uncordon', { cordoned: true, result: failed }), job: createdJob() },
      'Uncordon: uncordon',
    ],
    [
      'is uncordoned when its Job was edited while it was suspended, and never resumed',
      CORDON,
      {
        ...cordoned,
        ledger: ran('Uncordon', { cordoned: true, result: failed }),
        job: createdJob({ generation: 4, annotations: { 'operator.kairos.io/resumes': '0' } }),
      },
      'Uncordon: uncordon',
    ],
    [
      'stays cordoned when its Job was resumed once and then stopped, whatever its generation',
      CORDON,
      {
        ...cordoned,
        ledger: ran('Run', { cordoned: true, result: failed }),
        job: createdJob({ annotations: { 'operator.kairos.io/resumes': '1' } }),
        isReported: true,
      },
      'Release: release',
    ],
    [
      'stays cordoned when something else has resumed its Job, which has had a Pod',
      CORDON,
      {
        ...cordoned,
        ledger: ran('Run', { cordoned: true, result: failed }),
        job: createdJob({ annotations: { 'operator.kairos.io/resumes': '0' } }),
        jobPods: [commandPod({ phase: 'Failed' })],
        isReported: true,
      },
      'Release: release',
    ],
    [
      'stays cordoned when its Job, which has no count of resumes, was resumed and then stopped',
      CORDON,
      {
        ...cordoned,
        ledger: ran('Run', { cordoned: true, result: failed }),
        job: createdJob({ generation: 3 }),
        isReported: true,
      },
      'Release: release',
    ],
    [
      'is uncordoned when the API server never admitted its Job',
      CORDON,
      {
        ...cordoned,
        ledger: reached('Uncordon', {
          cordoned: true,
          result: failed,
          stepTimes: { Run: secondsAgo(600), Uncordon: secondsAgo(1) },
        }),
      },
      'Uncordon: uncordon',
    ],
    [
      'has its helper Pods deleted before it is released',
      {},
      { ledger: ran('Run', { result: completed }), isReported: true, pullPod: pod('pull') },
      'Release: deletePods',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});
