import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { commandPod, facts, job, node, pod, ran, reached, secondsAgo, nodeOp } from '../../../builders.js';
import { outcomeOf, CORDON, REBOOT } from './walk-outcome.js';

const deleted = (spec: object = {}) => nodeOp(spec, { metadata: { deletionTimestamp: secondsAgo(1) } });

const COMMAND = { 'kairos.io/nodeop': 'other' };
const OF_JOB = { labels: COMMAND, owner: { kind: 'Job', uid: 'other', apiVersion: 'batch/v1' } };

/** Created suspended, then resumed and suspended again so many times. */
function suspendedAgain(times: number) {
  const created = job('suspended');
  return { ...created, metadata: { ...created.metadata, generation: 1 + 2 * times } };
}

/** Suspended, edited many times, and resumed so many times. */
function edited(resumes: string) {
  const created = job('suspended');
  const annotations = { 'operator.kairos.io/resumes': resumes };
  return { ...created, metadata: { ...created.metadata, generation: 30, annotations } };
}

describe('The Job of the command', () => {
  const at = ran('Run');
  const notReady = (seconds: number) => ran('Run', { notReadySince: secondsAgo(seconds) });
  const failedPod = pod('job-x', {
    containers: [{ name: 'nodeop', state: { terminated: { exitCode: 3, message: 'last line' } } }],
  });
  const unstarted = pod('job-x', {
    phase: 'Pending',
    containers: [{ name: 'nodeop', state: { waiting: { reason: 'ContainerCreating' } } }],
  });
  test.each<[string, object, Partial<Facts>, string]>([
    ['is created once the step is recorded', {}, { ledger: reached('Run') }, 'Run: createJob'],
    [
      'is not created while the command of an earlier operation still runs',
      {},
      { ledger: reached('Run'), pods: [pod('early', { ...OF_JOB, terminating: true })] },
      'Run: wait JobRunning',
    ],
    [
      'fails when an earlier command does not end within startDeadlineSeconds',
      {},
      { ledger: reached('Run', {}, 600), pods: [pod('early', OF_JOB)] },
      'Run: Failed NotStarted',
    ],
    [
      'is not created while a command runs whose Job was deleted without its Pod',
      {},
      { ledger: reached('Run'), pods: [commandPod({ labels: COMMAND })] },
      'Run: wait JobRunning',
    ],
    [
      'is created beside finished commands, helper Pods and foreign Pods',
      {},
      {
        ledger: reached('Run'),
        pods: [
          pod('ended', { ...OF_JOB, phase: 'Failed' }),
          pod('pull', { ...OF_JOB, labels: { ...COMMAND, 'operator.kairos.io/pull': 'true' } }),
          pod('labelled', { labels: COMMAND }),
          pod('web'),
          pod('copied', { labels: COMMAND, owner: { kind: 'DaemonSet', uid: 'ds' } }),
        ],
      },
      'Run: createJob',
    ],
    ['has its uid recorded before it may run', {}, { ledger: reached('Run'), job: job('suspended') }, 'Run: record'],
    [
      'is resumed for the first time although it was edited while it was suspended',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(5) } }), job: edited('0') },
      'Run: resumeJob',
    ],
    [
      'has the time of its resume recorded anew although it was edited while it was suspended',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(400) } }), job: edited('0') },
      'Run: record',
    ],
    [
      'fails when it was resumed ten times, whatever its generation',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(5) } }), job: edited('10') },
      'Run: Failed NotStarted',
    ],
    [
      'is resumed when it was suspended from outside',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(400) } }), job: suspendedAgain(1) },
      'Run: resumeJob',
    ],
    [
      'fails when it was suspended from outside ten times',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(400) } }), job: suspendedAgain(10) },
      'Run: Failed NotStarted',
    ],
    [
      'fails when it could not be resumed within the deadline',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(600) } }), job: job('suspended'), writeRefusal: 'no' },
      'Run: Failed NotStarted',
    ],
    [
      'has the time of its resume recorded again when that is long ago',
      {},
      { ledger: at, job: job('suspended') },
      'Run: record',
    ],
    [
      'is resumed after the time is recorded',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(1) } }), job: job('suspended') },
      'Run: resumeJob',
    ],
    [
      'fails when no Pod was created for it within startDeadlineSeconds',
      {},
      {
        ledger: ran('Run', { stepTimes: { Resume: secondsAgo(600) } }),
        job: { ...job('running'), status: {} },
      },
      'Run: Failed PodRefused',
    ],
    [
      'is waited for while its Pod runs',
      {},
      { ledger: at, job: job('running'), jobPods: [commandPod()] },
      'Run: wait JobRunning',
    ],
    ['is never created again when it was deleted', {}, { ledger: at }, 'Run: Failed JobDeleted'],
    [
      'counts as deleted when its uid is not the recorded one',
      {},
      { ledger: ran('Run', { job: { name: 'job', uid: 'other' } }), job: job('running') },
      'Run: Failed JobDeleted',
    ],
    [
      'completes the node when no reboot was requested',
      {},
      { ledger: at, job: job('complete') },
      'Run: Completed Done',
    ],
    [
      'fails the node when it has failed',
      {},
      { ledger: at, job: job('failed'), jobPods: [failedPod] },
      'Run: Failed JobFailed',
    ],
    [
      'fails with JobTimeout when it exceeded its deadline',
      {},
      { ledger: at, job: job('failed', 'DeadlineExceeded') },
      'Run: Failed JobTimeout',
    ],
    [
      'fails when its Pod does not start within startDeadlineSeconds',
      {},
      {
        ledger: ran('Run', { stepTimes: { Resume: secondsAgo(600) } }),
        job: job('running'),
        jobPods: [unstarted],
        node: node('n1', { images: ['registry.example/tool:1'] }),
      },
      'Run: Failed NotStarted',
    ],
    [
      'waits longer while its image may be pulled',
      {},
      { ledger: at, job: job('running'), jobPods: [unstarted] },
      'Run: wait Pulling',
    ],
    [
      'keeps the node from being cordoned again',
      CORDON,
      { ledger: at, job: job('running'), jobPods: [commandPod()] },
      'Run: wait JobRunning',
    ],
    [
      'has recorded when its node was first seen not Ready',
      {},
      { ledger: at, job: job('running'), jobPods: [commandPod()], node: node('n1', { ready: false }) },
      'Run: record',
    ],
    [
      'has recorded that its node is Ready again',
      {},
      { ledger: notReady(1799), job: job('running'), jobPods: [commandPod()] },
      'Run: record',
    ],
    [
      'is waited for on a node that is not Ready',
      {},
      { ledger: notReady(1799), job: job('running'), jobPods: [commandPod()], node: node('n1', { ready: false }) },
      'Run: wait Unreachable',
    ],
    [
      'fails when the node is not Ready for rebootTimeoutSeconds',
      {},
      {
        ledger: notReady(1800),
        job: job('running'),
        jobPods: [commandPod()],
        node: node('n1', { ready: false }),
      },
      'Run: Failed Unreachable',
    ],
    [
      'completes the node even if the node is not Ready any more',
      {},
      { ledger: notReady(1800), job: job('complete'), node: node('n1', { ready: false }) },
      'Run: Completed Done',
    ],
    [
      'fails with PodRefused when it has no Pod after startDeadlineSeconds',
      {},
      { ledger: ran('Run', { stepTimes: { Run: secondsAgo(600) } }, 600), job: job('running') },
      'Run: Failed PodRefused',
    ],
    [
      'is deleted with its operation',
      {},
      { ledger: at, job: job('running'), jobPods: [commandPod()], nodeOp: deleted() },
      'Run: deleteJob',
    ],
    [
      'is waited for until its Pod ends when the operation was deleted',
      {},
      { ledger: at, jobPods: [commandPod()], nodeOp: deleted() },
      'Run: wait JobRunning',
    ],
    [
      'is waited for beyond the grace period of its Pod when the operation was deleted',
      {},
      { ledger: at, jobPods: [commandPod({ terminating: 299 })], nodeOp: deleted() },
      'Run: wait JobRunning',
    ],
    [
      'is not waited for any more 300 s after the grace period of its Pod',
      {},
      { ledger: at, jobPods: [commandPod({ terminating: 300 })], nodeOp: deleted() },
      'Run: Failed Deleted',
    ],
    [
      'fails the node when it was deleted with its operation',
      {},
      { ledger: at, nodeOp: deleted() },
      'Run: Failed Deleted',
    ],
    [
      'may finish when its operation was deleted and a reboot follows',
      REBOOT,
      { ledger: at, job: job('running'), jobPods: [commandPod()], nodeOp: deleted(REBOOT) },
      'Run: wait JobRunning',
    ],
    [
      'is not resumed when it never ran and its operation, which reboots, was deleted',
      REBOOT,
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(1) } }), job: job('suspended'), nodeOp: deleted(REBOOT) },
      'Run: Failed Deleted',
    ],
    [
      'is not resumed when it was suspended from outside and its operation, which reboots, was deleted',
      REBOOT,
      { ledger: at, job: suspendedAgain(1), nodeOp: deleted(REBOOT) },
      'Run: Failed Deleted',
    ],
    ['fails when the node was removed', {}, { ledger: at, node: undefined }, 'Run: Failed NodeRemoved'],
    [
      'fails when another node has registered under the name',
      {},
      { ledger: at, node: node('n1', { uid: 'new' }) },
      'Run: Failed NodeReplaced',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));

  test('keeps the log and the exit code of the container that failed', () => {
    const { result } = walk(facts({}, { ledger: at, job: job('failed'), jobPods: [failedPod] }));
    expect(result).toMatchObject({ message: 'Job failed', log: 'last line', exitCode: 3 });
  });

  test('is preceded by a record of the boot id and the Ready DaemonSets', () => {
    const own = pod('ds-x', { owner: { kind: 'DaemonSet', uid: 'ds' } });
    const unready = pod('ds-y', { owner: { kind: 'DaemonSet', uid: 'unready' }, ready: false });
    expect(walk(facts(REBOOT, { pods: [own, unready] })).result).toMatchObject({
      action: { change: { bootIdBefore: 'boot-1', daemonSets: ['ds'] } },
    });
  });
});
