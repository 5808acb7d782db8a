import { describe, expect, test } from '@jest/globals';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { facts, job, pod, type PodTraits, ran, secondsAgo } from '../../../builders.js';
import { REBOOT } from './walk-outcome.js';

const RECORDED = { name: 'job', uid: 'uid-job' };

describe('A Job that has failed', () => {
  const of = (traits: PodTraits, condition: object = {}) => {
    const failed = {
      ...job('failed'),
      status: { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', ...condition }] },
    };
    return walk(
      facts(REBOOT, { ledger: ran('Run'), job: failed, jobPods: [pod('job-x', { phase: 'Failed', ...traits })] }),
    ).result;
  };
  const exited = (reason?: string) => ({
    containers: [{ name: 'nodeop', state: { terminated: { exitCode: 137, reason } } }],
  });
  test.each<[string, object, object]>([
    [
      'names a command that ran out of memory',
      of(exited('OOMKilled')),
      { reason: 'JobFailed', message: 'Job failed: container nodeop ended with reason OOMKilled' },
    ],
    [
      'keeps the words of the kubelet',
      of({ ...exited('Error'), reason: 'Evicted', message: 'disk pressure' }),
      { reason: 'JobFailed', message: 'Job failed: Evicted: disk pressure' },
    ],
    [
      'has not started when the kubelet rejected its Pods',
      of({ containers: [], reason: 'OutOfpods', message: 'Pod was rejected' }),
      { reason: 'NotStarted', message: 'the Pod of the Job was not started: OutOfpods: Pod was rejected' },
    ],
    [
      'has not started when an added init container failed, which it names',
      of({
        initContainers: [
          { name: 'vault-init', state: { terminated: { exitCode: 1, reason: 'Error', message: 'no role\n' } } },
        ],
        containers: [{ name: 'nodeop', state: { waiting: { reason: 'PodInitializing' } } }],
      }),
      {
        reason: 'NotStarted',
        message:
          'the Pod of the Job was not started: container vault-init, which something added to it, ended with exit code 1: no role',
      },
    ],
    [
      'has a failed sentinel when the Job controller names that container and the Pod has vanished',
      of(
        { containers: [] },
        {
          reason: 'PodFailurePolicy',
          message:
            'Container sentinel-creator for pod default/x failed with exit code 1 matching FailJob rule at index 1',
        },
      ),
      { reason: 'SentinelFailed' },
    ],
  ])('%s', (_title, result, expected) => expect(result).toMatchObject(expected));

  test('has the recorded exit code and log when its Pod was deleted because an added container kept it', () => {
    const failure = { podUid: 'uid-job-x', exitCode: 4, log: 'no such disk' };
    const ledger = ran('Run', { job: { ...RECORDED, failure } });
    expect(walk(facts({}, { ledger, job: job('failed'), jobPods: [] })).result).toMatchObject({
      reason: 'JobFailed',
      log: 'no such disk',
      exitCode: 4,
    });
  });

  test('has the words of the rule that ended it when no Pod is left', () => {
    const message = 'Container istio-proxy for pod default/x failed with exit code 1 matching FailJob rule at index 2';
    const conditions = [{ type: 'Failed', status: 'True', reason: 'PodFailurePolicy', message }];
    const failed = { ...job('failed'), status: { conditions } };
    expect(walk(facts({}, { ledger: ran('Run'), job: failed })).result).toMatchObject({
      reason: 'JobFailed',
      message: `Job failed: ${message}`,
    });
  });

  test('has the log of its own container, not of an added one', () => {
    const containers = [
      { name: 'istio-proxy', state: { terminated: { exitCode: 1, message: 'proxy', finishedAt: secondsAgo(1) } } },
      { name: 'nodeop', state: { terminated: { exitCode: 3, message: 'ours', finishedAt: secondsAgo(9) } } },
    ];
    expect(of({ containers })).toMatchObject({ log: 'ours', exitCode: 3 });
  });
});
