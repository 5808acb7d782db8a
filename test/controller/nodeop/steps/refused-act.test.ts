/** Waits for something that the API server refuses, or that the Job controller and the garbage collector do not do, end. */
import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { commandPod, facts, job, node, nodeOp, NOW, pod, ran, reached, secondsAgo } from '../../../builders.js';
import { CORDON, MARK, outcomeOf } from './walk-outcome.js';

const FAILED = { phase: 'Failed' as const, reason: 'JobTimeout' as const, message: 'too long', at: NOW.toISOString() };
const writeRefusal = 'no tickets';

/** The act was refused for the first time so many seconds ago. */
const refused = (what: string, seconds: number) => ({
  waiting: { for: `refused: ${what}`, since: secondsAgo(seconds) },
});

/** The change that is recorded for the node. */
const changeOf = (seen: Facts) => {
  const { result } = walk(seen);
  return result.is === 'act' && result.action.do === 'record' ? result.action.change : undefined;
};

describe('Stopping the Job of a failed node', () => {
  const STOP = 'stopping the Job';
  const stopping = (seconds: number, more: object = {}) => ran('Stop', { result: FAILED, ...more }, seconds);
  test.each<[string, Partial<Facts>, string]>([
    ['has its first refusal recorded', { ledger: stopping(900), writeRefusal, job: job('running') }, 'Stop: record'],
    [
      'is tried until startDeadlineSeconds after the first refusal',
      { ledger: stopping(900, refused(STOP, 599)), writeRefusal, job: job('running') },
      'Stop: suspendJob',
    ],
    [
      'is tried when it has not been refused since the controller started',
      { ledger: stopping(900, refused(STOP, 700)), job: job('running') },
      'Stop: suspendJob',
    ],
    [
      'leaves a minute to the Job controller to delete the Pod',
      { ledger: stopping(59), job: job('suspended'), jobPods: [commandPod()] },
      'Stop: wait JobRunning',
    ],
    [
      'deletes the Pod that the Job controller does not delete',
      { ledger: stopping(60), job: job('suspended'), jobPods: [commandPod()] },
      'Stop: deletePods',
    ],
    [
      'deletes the Pod that the garbage collector leaves when the Job is gone',
      { ledger: stopping(60), jobPods: [commandPod()] },
      'Stop: deletePods',
    ],
    [
      'waits for a Pod that is terminating',
      { ledger: stopping(60), job: job('suspended'), jobPods: [commandPod({ terminating: 5 })] },
      'Stop: wait JobRunning',
    ],
    [
      'is not waited for once it was given up',
      { ledger: stopping(60, { stepTimes: { StopGivenUp: secondsAgo(1) } }), job: job('running'), isReported: true },
      'Release: release',
    ],
  ])('%s', (_title, seen, expected) => expect(outcomeOf(facts({}, seen))).toBe(expected));

  test.each<[string, string, Partial<Facts>]>([
    [STOP, 'its Job could not be stopped', { job: job('running') }],
    ['deleting the Pod of the Job', 'its Pod could not be deleted', { jobPods: [commandPod()] }],
  ])('is given up after startDeadlineSeconds of refusals of %s, and the result reports it', (what, words, seen) => {
    const change = changeOf(facts({}, { ledger: stopping(900, refused(what, 600)), writeRefusal, ...seen }));
    expect(change?.stepTimes).toHaveProperty('StopGivenUp');
    expect(change?.result).toMatchObject({
      reason: 'JobTimeout',
      message: `too long; ${words}: refused for 600 s: no tickets`,
    });
  });
});

describe('The Job of a deleted operation', () => {
  const deleting = (entry: object = {}) => {
    const nodeStatuses = { n1: { phase: 'Running' as const, ...entry } };
    return nodeOp({}, { metadata: { deletionTimestamp: secondsAgo(300) }, status: { nodeStatuses } });
  };
  const waitingFor = (seconds: number) =>
    deleting({ message: 'waiting for the Pod of the Job to end', lastUpdated: secondsAgo(seconds) });
  const gone = { ledger: ran('Run'), jobPods: [commandPod()] };
  test.each<[string, Partial<Facts>, string]>([
    ['has its Pod waited for', { ...gone, nodeOp: deleting() }, 'Run: wait JobRunning'],
    ['leaves a minute to the garbage collector', { ...gone, nodeOp: waitingFor(59) }, 'Run: wait JobRunning'],
    ['has its Pod deleted after a minute', { ...gone, nodeOp: waitingFor(60) }, 'Run: deletePods'],
    [
      'ends the node when only Pods that have ended are left',
      { ledger: ran('Run'), nodeOp: deleting(), jobPods: [commandPod({ phase: 'Failed' })] },
      'Run: Failed Deleted',
    ],
    [
      'ends the node when its deletion is refused for startDeadlineSeconds',
      {
        ledger: ran('Run', refused('deleting the Job', 600)),
        nodeOp: deleting(),
        job: job('running'),
        writeRefusal,
      },
      'Run: Failed Deleted',
    ],
  ])('%s', (_title, seen, expected) => expect(outcomeOf(facts({}, seen))).toBe(expected));
});

test('a refusal to end a Pod whose command has failed fails the node after startDeadlineSeconds', () => {
  const ended = { terminated: { exitCode: 4, message: 'no disk' } };
  const kept = commandPod({
    containers: [
      { name: 'a-proxy', state: { running: {} } },
      { name: 'nodeop', state: ended },
    ],
  });
  const failure = { podUid: kept.metadata.uid, exitCode: 4, log: 'no disk' };
  const ledger = ran('Run', { job: { name: 'job', uid: 'uid-job', failure }, ...refused('deleting the Pod', 600) });
  const { result } = walk(facts({}, { ledger, job: job('running'), jobPods: [kept], writeRefusal }));
  expect(result).toMatchObject({ reason: 'JobFailed', exitCode: 4, log: 'no disk' });
});

describe('The release of a node', () => {
  const completed = (seconds: number) =>
    ran('Uncordon', { result: { phase: 'Completed', message: 'done', at: secondsAgo(seconds) } });
  test.each<[string, Partial<Facts>, string]>([
    ['tries to delete helper Pods', { ledger: completed(599), writeRefusal, pullPod: pod('pull') }, 'deletePods'],
    [
      'leaves them after startDeadlineSeconds',
      { ledger: completed(600), writeRefusal, pullPod: pod('pull') },
      'release',
    ],
    [
      'leaves the Job without a time to live after startDeadlineSeconds',
      { ledger: completed(600), writeRefusal, job: job('complete') },
      'release',
    ],
  ])('%s when that is refused', (_title, seen, expected) =>
    expect(outcomeOf(facts({ ttlSecondsAfterFinished: 5 }, { isReported: true, ...seen }))).toBe(
      `Release: ${expected}`,
    ),
  );
});

describe('The turn of a control plane', () => {
  const plane = { node: node('n1', { controlPlane: true }) };
  const TURN = 'the turn of the control planes';
  test('is waited for without an end while another node has it', () => {
    const taken = { writeRefusal: 'the turn of the control planes is that of node n9' };
    const ledger = reached('ControlPlane', refused(TURN, 9_000), 9_000);
    expect(outcomeOf(facts(CORDON, { ...plane, ledger, ...taken }))).toBe('ControlPlane: takeControlPlane');
  });
  test('fails the node before its reboot when it is refused for startDeadlineSeconds', () => {
    const ledger = ran('Run', refused(TURN, 600));
    const seen = { ...plane, ledger, job: job('complete'), writeRefusal };
    expect(outcomeOf(facts({ rebootOnSuccess: true }, seen))).toBe('Run: Failed NotRebooted');
  });
});

test('a node that may not be uncordoned for startDeadlineSeconds fails with its former result, and is not uncordoned any more', () => {
  const result = { phase: 'Completed' as const, message: 'done', at: NOW.toISOString(), bootIdAfter: 'boot-2' };
  const ledger = ran('Uncordon', { cordoned: true, result, ...refused('uncordoning the node', 600) });
  const cordoned = node('n1', { cordoned: true, mark: MARK });
  expect(changeOf(facts(CORDON, { ledger, node: cordoned, writeRefusal }))).toMatchObject({
    cordoned: null,
    result: {
      phase: 'Failed',
      reason: 'UncordonRefused',
      message: 'done; the node stays cordoned: refused for 600 s: no tickets',
      bootIdAfter: 'boot-2',
    },
  });
});
