import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { facts, job, node, pod, ran, reached, secondsAgo, nodeOp } from '../../../builders.js';
import { outcomeOf, CORDON, REBOOT } from './walk-outcome.js';

const deleted = (spec: object = {}) => nodeOp(spec, { metadata: { deletionTimestamp: secondsAgo(1) } });

const COMMAND = { 'kairos.io/nodeop': 'other' };

/** Made suspended, then resumed and suspended so many times. */
function suspendedAgain(times: number) {
  const made = job('suspended');
  return { ...made, metadata: { ...made.metadata, generation: 1 + 2 * times } };
}

describe('Run', () => {
  const at = ran('Run');
  const failedPod = pod('job-x', {
    containers: [{ name: 'nodeop', state: { terminated: { exitCode: 3, message: 'last words' } } }],
  });
  const unstarted = pod('job-x', {
    phase: 'Pending',
    containers: [{ name: 'nodeop', state: { waiting: { reason: 'ContainerCreating' } } }],
  });
  test.each<[string, object, Partial<Facts>, string]>([
    ['makes the Job once the ledger is at Run', {}, { ledger: reached('Run') }, 'Run: createJob'],
    [
      'waits for a command of an earlier run that was given up on and still runs',
      {},
      { ledger: reached('Run'), pods: [pod('early', { labels: COMMAND, terminating: true })] },
      'Run: wait JobRunning',
    ],
    [
      'does not wait for it without end',
      {},
      { ledger: reached('Run', {}, 600), pods: [pod('early', { labels: COMMAND })] },
      'Run: Failed NotStarted',
    ],
    [
      'nor for one that has ended, nor for what is no command',
      {},
      {
        ledger: reached('Run'),
        pods: [
          pod('ended', { labels: COMMAND, phase: 'Failed' }),
          pod('pull', { labels: { ...COMMAND, 'operator.kairos.io/pull': 'true' } }),
          pod('web'),
        ],
      },
      'Run: createJob',
    ],
    [
      'writes the uid down before the Job may run',
      {},
      { ledger: reached('Run'), job: job('suspended') },
      'Run: record',
    ],
    [
      'resumes one that somebody has suspended again',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(400) } }), job: suspendedAgain(1) },
      'Run: resumeJob',
    ],
    [
      'but not for ever',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(400) } }), job: suspendedAgain(10) },
      'Run: Failed NotStarted',
    ],
    [
      'gives up one that never could be resumed',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(600) } }), job: job('suspended'), writeRefusal: 'no' },
      'Run: Failed NotStarted',
    ],
    ['and when it may, should that be long ago by now', {}, { ledger: at, job: job('suspended') }, 'Run: record'],
    [
      'then lets it run',
      {},
      { ledger: ran('Run', { stepTimes: { Resume: secondsAgo(1) } }), job: job('suspended') },
      'Run: resumeJob',
    ],
    [
      'does not wait without end for a Job that nobody starts',
      {},
      {
        ledger: ran('Run', { stepTimes: { Resume: secondsAgo(600) } }),
        job: { ...job('running'), status: {} },
      },
      'Run: Failed PodRefused',
    ],
    ['waits for it', {}, { ledger: at, job: job('running'), jobPods: [pod('job-x')] }, 'Run: wait JobRunning'],
    ['never makes it again when somebody deleted it', {}, { ledger: at }, 'Run: Failed JobDeleted'],
    [
      'takes one of another uid for deleted',
      {},
      { ledger: ran('Run', { job: { name: 'job', uid: 'other' } }), job: job('running') },
      'Run: Failed JobDeleted',
    ],
    ['ends well without a reboot', {}, { ledger: at, job: job('complete') }, 'Run: Completed Done'],
    ['fails with the Job', {}, { ledger: at, job: job('failed'), jobPods: [failedPod] }, 'Run: Failed JobFailed'],
    [
      'tells a deadline from a failure',
      {},
      { ledger: at, job: job('failed', 'DeadlineExceeded') },
      'Run: Failed JobTimeout',
    ],
    [
      'fails when the Pod never starts',
      {},
      {
        ledger: at,
        job: job('running'),
        jobPods: [unstarted],
        node: node('n1', { images: ['registry.example/tool:1'] }),
      },
      'Run: Failed NotStarted',
    ],
    [
      'gives it longer while the image is on its way',
      {},
      { ledger: at, job: job('running'), jobPods: [unstarted] },
      'Run: wait Pulling',
    ],
    [
      'never cordons again once it has begun',
      CORDON,
      { ledger: at, job: job('running'), jobPods: [pod('job-x')] },
      'Run: wait JobRunning',
    ],
    [
      'waits a while for a node that does not answer',
      {},
      { ledger: at, job: job('running'), jobPods: [pod('job-x')], node: node('n1', { ready: false }) },
      'Run: wait Unreachable',
    ],
    [
      'and no longer than rebootTimeoutSeconds',
      {},
      {
        ledger: at,
        job: job('running'),
        jobPods: [pod('job-x')],
        node: node('n1', { ready: false, since: secondsAgo(1800) }),
      },
      'Run: Failed Unreachable',
    ],
    [
      'still takes a success that a lost node has reported',
      {},
      { ledger: at, job: job('complete'), node: node('n1', { ready: false, since: secondsAgo(1800) }) },
      'Run: Completed Done',
    ],
    [
      'tells a Pod that was never made from one that never started',
      {},
      { ledger: ran('Run', { stepTimes: { Run: secondsAgo(600) } }, 600), job: job('running') },
      'Run: Failed PodRefused',
    ],
    [
      'ends the Job of an operation that was deleted',
      {},
      { ledger: at, job: job('running'), jobPods: [pod('job-x')], nodeOp: deleted() },
      'Run: deleteJob',
    ],
    [
      'waits for its Pod to end',
      {},
      { ledger: at, jobPods: [pod('job-x')], nodeOp: deleted() },
      'Run: wait JobRunning',
    ],
    [
      'also beyond its grace',
      {},
      { ledger: at, jobPods: [pod('job-x', { terminating: 299 })], nodeOp: deleted() },
      'Run: wait JobRunning',
    ],
    [
      'but not without end',
      {},
      { ledger: at, jobPods: [pod('job-x', { terminating: 300 })], nodeOp: deleted() },
      'Run: Failed Deleted',
    ],
    ['and is then over', {}, { ledger: at, nodeOp: deleted() }, 'Run: Failed Deleted'],
    [
      'lets a Job be finished where a reboot follows',
      REBOOT,
      { ledger: at, job: job('running'), jobPods: [pod('job-x')], nodeOp: deleted(REBOOT) },
      'Run: wait JobRunning',
    ],
    ['ends when the node is gone', {}, { ledger: at, node: undefined }, 'Run: Failed NodeRemoved'],
    [
      'ends when another node has the name',
      {},
      { ledger: at, node: node('n1', { uid: 'new' }) },
      'Run: Failed NodeReplaced',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));

  test('keeps the last words of the container that failed', () => {
    const { result } = walk(facts({}, { ledger: at, job: job('failed'), jobPods: [failedPod] }));
    expect(result).toMatchObject({ message: 'Job failed', log: 'last words', exitCode: 3 });
  });

  test('writes down the boot id and the well DaemonSets before the Job', () => {
    const own = pod('ds-x', { owner: { kind: 'DaemonSet', uid: 'ds' } });
    const sick = pod('ds-y', { owner: { kind: 'DaemonSet', uid: 'sick' }, ready: false });
    expect(walk(facts(REBOOT, { pods: [own, sick] })).result).toMatchObject({
      action: { change: { bootIdBefore: 'boot-1', daemonSets: ['ds'] } },
    });
  });
});
