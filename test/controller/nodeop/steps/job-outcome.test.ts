import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { commandPod, facts, job, node, nodeAgent, pod, type PodTraits, ran, secondsAgo } from '../../../builders.js';
import { outcomeOf, REBOOT } from './walk-outcome.js';

const ENDED = { terminated: { exitCode: 0 } };
const PROXY = { name: 'istio-proxy', state: { running: {} } };
const RECORDED = { name: 'job', uid: 'uid-job' };

/** The ledger of a Job whose command was seen to have succeeded `seconds` ago in this boot. */
const succeeded = (seconds: number, succeededIn = 'boot-1', more: object = {}) =>
  ran('Run', { job: { ...RECORDED, succeededIn, ...more }, stepTimes: { Succeeded: secondsAgo(seconds) } });

const changeOf = (seen: Facts) => {
  const { result } = walk(seen);
  return result.is === 'act' && result.action.do === 'record' ? result.action.change : undefined;
};

describe('A Job whose Pod is kept by an added container', () => {
  const kept = commandPod({ containers: [PROXY, { name: 'nodeop', state: ENDED }] });
  const suspended = { ...job('suspended'), metadata: { ...job('suspended').metadata, generation: 3 } };
  test.each<[string, Partial<Facts>, string]>([
    ['has the success of its command recorded first', { ledger: ran('Run'), job: job('running') }, 'record'],
    ['is given time to end by itself', { ledger: succeeded(9), job: job('running') }, 'wait JobRunning'],
    ['is stopped then', { ledger: succeeded(10), job: job('running') }, 'suspendJob'],
    ['completes the node when it is stopped', { ledger: succeeded(11), job: suspended }, 'Completed Done'],
    [
      'completes the node when it has failed with its added container',
      { ledger: succeeded(1), job: job('failed') },
      'Completed Done',
    ],
  ])('%s', (_title, seen, expected) =>
    expect(outcomeOf(facts({}, { jobPods: [kept], ...seen }))).toBe(`Run: ${expected}`),
  );

  test('records the names of the added containers', () =>
    expect(changeOf(facts({}, { ledger: ran('Run'), job: job('running'), jobPods: [kept] }))?.job).toEqual({
      ...RECORDED,
      succeededIn: 'boot-1',
      added: ['istio-proxy'],
    }));

  test('needs no record and no condition when its Pod has succeeded', () => {
    const succeededPod = commandPod({ phase: 'Succeeded', containers: [{ name: 'nodeop', state: ENDED }] });
    const seen = { ledger: ran('Run'), job: job('running'), jobPods: [succeededPod] };
    expect(outcomeOf(facts({}, seen))).toBe('Run: Completed Done');
  });
});

/** The ledger of a Job whose two containers were first seen to have ended `seconds` ago. */
const endedFor = (seconds: number) =>
  ran('Run', { job: RECORDED, waiting: { for: 'uid-job-x 2 boot-1', since: secondsAgo(seconds) } });

describe('A Job with reboot whose command has succeeded', () => {
  const podWith = (sentinel: object, more: PodTraits = {}) =>
    pod('job-x', {
      phase: 'Pending',
      initContainers: [{ name: 'nodeop', state: ENDED }],
      containers: [{ name: 'sentinel-creator', image: 'registry.example/agent:1', state: sentinel }],
      ...more,
    });
  const WAITING = { waiting: { reason: 'PodInitializing' } };
  const UNAUTHORIZED = { waiting: { reason: 'ErrImagePull', message: '401 Unauthorized' } };
  const EXITED = { terminated: { exitCode: 1, message: 'ENOSPC: no space left on device' } };
  const LOST = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } };
  const ended = { phase: 'Failed' };
  const KEPT = { phase: 'Running', containers: [PROXY, { name: 'sentinel-creator', state: ENDED }] };
  const withSentinel = ran('Run', {
    job: { ...RECORDED, succeededIn: '' },
    stepTimes: { Succeeded: secondsAgo(10), Sentinel: secondsAgo(0) },
  });
  const byRule = {
    type: 'Failed',
    status: 'True',
    reason: 'PodFailurePolicy',
    message: 'Pod default/job-x has condition Initialized matching FailJob rule at index 3',
  };
  const SENTINEL_ENDED = (code: number) =>
    `Container sentinel-creator for pod default/job-x failed with exit code ${code} matching FailJob rule at index 1`;
  const takenAway = { ...job('failed'), status: { conditions: [byRule] } };
  test.each<[string, Partial<Facts>, string]>([
    ['is recorded', { ledger: ran('Run'), jobPods: [podWith(WAITING)] }, 'Run: record'],
    ['waits for its sentinel', { ledger: succeeded(5), jobPods: [podWith(WAITING)] }, 'Run: wait JobRunning'],
    [
      'fails when the sentinel fails, and does not repeat the command',
      { ledger: succeeded(5), jobPods: [podWith(EXITED, ended)] },
      'Run: Failed SentinelFailed',
    ],
    [
      'reports a refused image of the sentinel',
      { ledger: succeeded(5), jobPods: [podWith({ waiting: { reason: 'ErrImagePull', message: 'timeout' } })] },
      'Run: wait Pulling',
    ],
    [
      'has the first refusal of the image of the sentinel recorded',
      { ledger: succeeded(60), jobPods: [podWith(UNAUTHORIZED)] },
      'Run: record',
    ],
    [
      'is stopped when the image of the sentinel is refused three times',
      {
        ledger: {
          ...succeeded(60),
          pullRefusal: { for: 'uid-job-x sentinel-creator', since: secondsAgo(30) },
        },
        jobPods: [podWith(UNAUTHORIZED)],
      },
      'Run: suspendJob',
    ],
    [
      'fails when the image of the sentinel is refused three times and it is not known in which boot the command succeeded',
      {
        ledger: {
          ...succeeded(60, ''),
          pullRefusal: { for: 'uid-job-x sentinel-creator', since: secondsAgo(30) },
        },
        jobPods: [podWith(UNAUTHORIZED)],
      },
      'Run: Failed ImagePullFailed',
    ],
    [
      'is stopped when its Pod was deleted before the sentinel',
      { ledger: succeeded(5), jobPods: [podWith(WAITING, { terminating: true })] },
      'Run: suspendJob',
    ],
    [
      'is stopped when the sentinel does not start',
      { ledger: succeeded(600), jobPods: [podWith(WAITING)] },
      'Run: suspendJob',
    ],
    [
      'is stopped when the node went down before the sentinel',
      { ledger: succeeded(5), jobPods: [podWith(WAITING)], node: node('n1', { bootId: 'boot-2' }) },
      'Run: suspendJob',
    ],
    [
      'is followed by the reboot when it has failed with its deleted Pod',
      { ledger: succeeded(5), job: job('failed', 'PodFailurePolicy'), jobPods: [podWith(LOST, ended)] },
      'Reboot: record Reboot',
    ],
    [
      'is followed by the reboot when its Pod has vanished',
      { ledger: succeeded(5), job: job('failed', 'PodFailurePolicy'), jobPods: [] },
      'Reboot: record Reboot',
    ],
    [
      'is followed by the reboot when only an added container kept its Pod',
      {
        ledger: succeeded(11),
        job: job('suspended'),
        jobPods: [podWith(ENDED, { containers: [PROXY, { name: 'sentinel-creator', state: ENDED }] })],
      },
      'Reboot: record Reboot',
    ],
    [
      'is not stopped when its containers have ended and the phase of its Pod is late',
      { ledger: succeeded(20), jobPods: [podWith(ENDED)] },
      'Run: wait JobRunning',
    ],
    [
      'is not recorded while the phase of its Pod is late',
      { ledger: endedFor(599), jobPods: [podWith(ENDED)] },
      'Run: wait JobRunning',
    ],
    [
      'is recorded when the phase of its Pod is never reported',
      { ledger: endedFor(600), jobPods: [podWith(ENDED)] },
      'Run: record',
    ],
    [
      'has its sentinel recorded, to be stopped, when the phase of its Pod is not reported after that either',
      { ledger: succeeded(600, 'boot-1'), jobPods: [podWith(ENDED)] },
      'Run: record',
    ],
    [
      'has timed out when its command ends while its Pod is terminated at the deadline',
      {
        ledger: ran('Run', { job: RECORDED }),
        job: job('failed', 'DeadlineExceeded'),
        jobPods: [podWith(ENDED, { phase: 'Succeeded' })],
      },
      'Run: Failed JobTimeout',
    ],
    [
      'is not stopped when its Pod has succeeded and the Job controller is late',
      { ledger: succeeded(1), jobPods: [podWith(ENDED, { phase: 'Succeeded' })] },
      'Reboot: record Reboot',
    ],
    [
      'has its sentinel recorded before its Pod is deleted',
      { ledger: succeeded(10, ''), jobPods: [podWith(ENDED, KEPT)] },
      'Run: record',
    ],
    [
      'is stopped when its sentinel is recorded',
      { ledger: withSentinel, jobPods: [podWith(ENDED, KEPT)] },
      'Run: suspendJob',
    ],
    [
      'is followed by the reboot when only its recorded sentinel knows the boot',
      { ledger: withSentinel, job: job('suspended'), jobPods: [] },
      'Reboot: record Reboot',
    ],
    [
      'is followed by the reboot when its Job was deleted',
      { ledger: succeeded(5), job: undefined, jobPods: [] },
      'Reboot: record Reboot',
    ],
    [
      'is recorded when only the Job controller has seen that its Pod was taken away after the command',
      { ledger: ran('Run'), job: takenAway, jobPods: [] },
      'Run: record',
    ],
    [
      'is recorded when only the Job controller has seen that its sentinel was killed',
      {
        ledger: ran('Run'),
        job: { ...takenAway, status: { conditions: [{ ...byRule, message: SENTINEL_ENDED(137) }] } },
      },
      'Run: record',
    ],
    [
      'fails when only the Job controller has seen that its sentinel failed',
      {
        ledger: ran('Run'),
        job: { ...takenAway, status: { conditions: [{ ...byRule, message: SENTINEL_ENDED(1) }] } },
      },
      'Run: Failed SentinelFailed',
    ],
    [
      'fails when it is not known in which boot it succeeded',
      { ledger: succeeded(5, ''), job: job('failed', 'PodFailurePolicy'), jobPods: [podWith(LOST, ended)] },
      'Run: Failed SentinelFailed',
    ],
    [
      'reboots by its sentinel when it is Complete',
      { ledger: succeeded(5), job: job('complete'), jobPods: [] },
      'Reboot: record Reboot',
    ],
  ])('%s', (_title, seen, expected) =>
    expect(outcomeOf(facts(REBOOT, { job: job('running'), ...seen }))).toBe(expected),
  );

  test('fails with the last words of the sentinel', () => {
    const seen = { ledger: succeeded(5), job: job('running'), jobPods: [podWith(EXITED, ended)] };
    expect(walk(facts(REBOOT, seen)).result).toMatchObject({
      message: expect.stringContaining('ENOSPC: no space left on device'),
      exitCode: 1,
    });
  });

  test.each<[string, Partial<Facts>, string]>([
    ['is recorded with its boot', {}, 'boot-1'],
    ['is recorded without a boot when the node has booted meanwhile', { node: node('n1', { bootId: 'boot-2' }) }, ''],
    [
      'is recorded without a boot when only the agent knows that',
      { agent: nodeAgent({ boot: { id: 'boot-2', since: secondsAgo(5), state: 'active' } }) },
      '',
    ],
  ])('%s', (_title, seen, expected) =>
    expect(
      changeOf(facts(REBOOT, { ledger: ran('Run'), job: job('running'), jobPods: [podWith(WAITING)], ...seen }))?.job
        ?.succeededIn,
    ).toBe(expected),
  );

  test('is requested to reboot without a sentinel only if the Job is not Complete', () => {
    const asked = (of: Facts['job']) => changeOf(facts(REBOOT, { ledger: succeeded(5), job: of, jobPods: [] }))?.reboot;
    expect(asked(job('failed'))).toMatchObject({ succeededIn: 'boot-1' });
    expect(asked(job('complete'))).not.toHaveProperty('succeededIn');
    const kept = { ledger: succeeded(11), job: job('suspended'), jobPods: [podWith(ENDED, KEPT)] };
    expect(changeOf(facts(REBOOT, kept))?.reboot).not.toHaveProperty('succeededIn');
  });

  test('expects no newer containers after the request when the node has booted already', () => {
    const daemonPod = pod('ds-x', { owner: { kind: 'DaemonSet', uid: 'ds' } });
    const ledger = { ...succeeded(5), daemonSets: ['ds'] };
    const before = (bootId: string) =>
      changeOf(facts(REBOOT, { ledger, job: job('failed'), pods: [daemonPod], node: node('n1', { bootId }) }))
        ?.containersBefore;
    expect(before('boot-1')).toEqual(['id-ds-x']);
    expect(before('boot-2')).toEqual([]);
  });
});
