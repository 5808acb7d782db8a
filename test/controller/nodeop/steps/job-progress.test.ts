import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { lacksPod } from '../../../../controller/nodeop/steps/job-progress.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { commandPod, facts, job, node, pod, type PodTraits, ran, secondsAgo } from '../../../builders.js';
import { outcomeOf } from './walk-outcome.js';

const running = (failed = 0, more: object = {}) => ({
  ...job('running'),
  status: { failed, ...more },
});
const waitingFor = (stall: string, seconds: number) => ({ waiting: { for: stall, since: secondsAgo(seconds) } });
const at = (more: object = {}) => ran('Run', more);
const refused = (container: string, seconds = 30) => ({
  pullRefusal: { for: `uid-next ${container}`, since: secondsAgo(seconds) },
});
const resumed = (seconds: number, more: object = {}) =>
  at({ stepTimes: { Run: secondsAgo(7000), Resume: secondsAgo(seconds), ...more } });
/** Its command has failed, and an added container still runs. */
const keptPod = commandPod({
  containers: [
    { name: 'istio-proxy', state: { running: {} } },
    { name: 'nodeop', state: { terminated: { exitCode: 4, message: 'no such disk' } } },
  ],
});
const KEPT_FAILURE = { podUid: keptPod.metadata.uid, exitCode: 4, log: 'no such disk' };
const failedPod = pod('first', {
  phase: 'Failed',
  createdAt: secondsAgo(100),
  containers: [{ name: 'nodeop', state: { terminated: { exitCode: 1 } } }],
});
const next = (state: object, more: PodTraits = {}) =>
  pod('next', {
    phase: 'Pending',
    createdAt: secondsAgo(50),
    containers: [{ name: 'nodeop', image: 'registry.example/tool:1', state }],
    ...more,
  });
const CREATING = { waiting: { reason: 'ContainerCreating' } };
const UNAUTHORIZED = { waiting: { reason: 'ErrImagePull', message: '401 Unauthorized' } };
const withImage = node('n1', { images: ['registry.example/tool:1'] });

describe('A Pod whose command has failed, and whose phase is late', () => {
  const failed = next({ terminated: { exitCode: 4, message: 'no such disk' } }, { phase: 'Running' });
  const seenFor = (seconds: number) =>
    facts({}, { ledger: at(waitingFor('uid-next 1 boot-1', seconds)), job: running(), jobPods: [failed] });

  test('is waited for with the message that the Job is running', () =>
    expect(walk(seenFor(599)).result).toMatchObject({ is: 'wait', reason: 'JobRunning', message: 'Job is running' }));

  test('fails the node by its exit code when the phase is never reported', () =>
    expect(walk(seenFor(600)).result).toMatchObject({
      reason: 'JobFailed',
      message: 'Job failed',
      exitCode: 4,
      log: 'no such disk',
    }));

  test('is followed by the Job controller, with the message that the Job is running', () => {
    const seen = { ledger: at(waitingFor('no Pod 1 0 boot-1', 1)), job: running(), jobPods: [failedPod] };
    expect(walk(facts({}, seen)).result).toMatchObject({ is: 'wait', message: 'Job is running' });
  });
});

describe('A Job whose first Pod has failed', () => {
  const noPod = 'no Pod 1 1 boot-1';
  const nextPod = 'uid-next 0 boot-1';
  test.each<[string, Partial<Facts>, string]>([
    ['has the wait for its next Pod recorded', { ledger: at(), jobPods: [failedPod] }, 'record'],
    ['waits for its next Pod', { ledger: at(waitingFor(noPod, 609)), jobPods: [failedPod] }, 'wait JobRunning'],
    [
      'fails when no Pod follows within startDeadlineSeconds and the pause',
      { ledger: at(waitingFor(noPod, 610)), jobPods: [failedPod] },
      'Failed PodRefused',
    ],
    [
      'has the wait for the start of its next Pod recorded',
      { ledger: at(waitingFor(noPod, 20)), jobPods: [failedPod, next(CREATING)] },
      'record',
    ],
    [
      'fails when its next Pod cannot pull',
      { ledger: at({ ...waitingFor(nextPod, 40), ...refused('nodeop') }), jobPods: [next(UNAUTHORIZED), failedPod] },
      'Failed ImagePullFailed',
    ],
    [
      'fails when its next Pod does not start',
      { ledger: at(waitingFor(nextPod, 600)), jobPods: [failedPod, next(CREATING)], node: withImage },
      'Failed NotStarted',
    ],
    [
      'is waited for while its next Pod runs',
      { ledger: at(), jobPods: [failedPod, next({ running: {} }, { phase: 'Running' })] },
      'wait JobRunning',
    ],
  ])('%s', (_title, seen, expected) =>
    expect(outcomeOf(facts({}, { job: running(1), ...seen }))).toBe(`Run: ${expected}`),
  );

  test('fails with the words of the API server', () => {
    const podRefusal = { is: 'refused' as const, message: 'exceeded quota: small' };
    const seen = { ledger: at(waitingFor(noPod, 610)), job: running(1), jobPods: [failedPod], podRefusal };
    expect(walk(facts({}, seen)).result).toMatchObject({
      message: 'no Pod was created for the Job within 610 s: exceeded quota: small',
    });
  });
});

describe('A Job whose only Pod is gone long after its start, before the Job controller has counted it', () => {
  const uncounted = { uncountedTerminatedPods: { failed: ['uid-first'] } };
  test.each([
    ['still counts as active', { active: 1 }],
    ['is still to be counted', uncounted],
  ])('has the wait for its next Pod recorded while the Pod %s, whatever earlier wait is recorded', (_title, status) => {
    const earlier = { ledger: at(waitingFor('no Pod 1 1 boot-1', 3_000)), jobPods: [failedPod] };
    const second = { ...earlier, job: running(1, { startTime: secondsAgo(3_600), ...status }) };
    expect(outcomeOf(facts({}, second))).toBe('Run: record');
  });

  test.each([
    ['still counts as active', { active: 1 }],
    ['is still to be counted', uncounted],
  ])('has the wait for its next Pod recorded while the Pod %s', (_title, status) => {
    const seen = { ledger: at(), job: running(0, { startTime: secondsAgo(3_600), ...status }) };
    expect(outcomeOf(facts({}, seen))).toBe('Run: record');
  });
});

describe('A Pod of the Job', () => {
  const first = (state: object, more: PodTraits = {}) => ({
    ledger: at(),
    job: running(),
    jobPods: [next(state, more)],
  });
  const resumedAgain = { ...running(), metadata: { ...running().metadata, generation: 4 } };
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'is not waited for as pulling when its image was pulled before',
      {},
      { ...first(CREATING), ledger: resumed(600, { Pull: secondsAgo(700) }) },
      'Failed NotStarted',
    ],
    [
      'may be pulling without a sandbox, which the kubelet reports after the first pull',
      {},
      {
        ...first(CREATING, { conditions: [{ type: 'PodReadyToStartContainers', status: 'False' }] }),
        ledger: resumed(600),
      },
      'wait Pulling',
    ],
    [
      'is not waited for as pulling when the name that admission gave its image is on the node',
      {},
      {
        ...first({}),
        ledger: resumed(600),
        jobPods: [
          pod('next', {
            phase: 'Pending',
            containers: [{ name: 'nodeop', image: 'mirror.example/tool:1', state: CREATING }],
          }),
        ],
        node: node('n1', { images: ['mirror.example/tool:1'] }),
      },
      'Failed NotStarted',
    ],
    [
      'fails with NotStarted when its configuration is wrong, not as a pull',
      {},
      {
        ...first({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found' } }),
        ledger: resumed(600),
      },
      'Failed NotStarted',
    ],
    [
      'fails when the image of an added init container is refused',
      {},
      {
        ...first(
          { waiting: { reason: 'PodInitializing' } },
          { initContainers: [{ name: 'istio-init', state: UNAUTHORIZED }] },
        ),
        ledger: at(refused('istio-init')),
      },
      'Failed ImagePullFailed',
    ],
    [
      'fails when its own image is refused after an added init container has ended',
      {},
      {
        ...first(UNAUTHORIZED, {
          initContainers: [{ name: 'istio-init', state: { terminated: { exitCode: 0 } } }],
        }),
        ledger: at(refused('nodeop')),
      },
      'Failed ImagePullFailed',
    ],
    [
      'gets the whole time to start again after the node has booted',
      {},
      {
        ...first(CREATING),
        ledger: at({ stepTimes: { Resume: secondsAgo(6000) } }),
        node: node('n1', { bootId: 'boot-2', images: ['registry.example/tool:1'] }),
      },
      'record',
    ],
    [
      'has the first refusal of its image recorded, however long it took to start',
      {},
      { ...first(UNAUTHORIZED), ledger: resumed(500) },
      'record',
    ],
    [
      'has three tries after the first refusal of its image',
      {},
      { ...first(UNAUTHORIZED), ledger: { ...resumed(500), ...refused('nodeop', 29) } },
      'wait Pulling',
    ],
    [
      'gets the whole time to start again after its Job was suspended from outside and resumed',
      {},
      { ...first(CREATING), ledger: resumed(6000), job: resumedAgain, node: withImage },
      'record',
    ],
    [
      'fails when it does not start in time after its Job was resumed again',
      {},
      {
        ...first(CREATING),
        ledger: { ...resumed(6000), ...waitingFor('uid-next 0 boot-1 resume 1', 600) },
        job: resumedAgain,
        node: withImage,
      },
      'Failed NotStarted',
    ],
    [
      'has its failure recorded when an added container keeps it',
      {},
      { ledger: at(), job: running(), jobPods: [keptPod] },
      'record',
    ],
    [
      'is deleted when its failure is recorded and an added container keeps it',
      {},
      { ledger: at({ job: { ...at().job, failure: KEPT_FAILURE } }), job: running(), jobPods: [keptPod] },
      'deletePods',
    ],
    [
      'fails the node when it does not terminate',
      {},
      { ledger: at(), job: running(), jobPods: [commandPod({ terminating: 300 })] },
      'Failed JobFailed',
    ],
  ])('%s', (_title, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(`Run: ${expected}`));

  test('has exit code and log of its command recorded before it is deleted', () =>
    expect(walk(facts({}, { ledger: at(), job: running(), jobPods: [keptPod] })).result).toMatchObject({
      action: { do: 'record', change: { job: { added: ['istio-proxy'], failure: KEPT_FAILURE } } },
    }));

  test('is reported with the containers that something added to it', () => {
    const containers = [
      { name: 'istio-proxy', state: { running: {} } },
      { name: 'nodeop', state: { running: {} } },
    ];
    expect(
      walk(facts({}, { ledger: at(), job: running(), jobPods: [commandPod({ containers })] })).result,
    ).toMatchObject({
      message: 'Job is running; something added container istio-proxy to its Pod',
    });
  });
});

describe('A Job without a Pod', () => {
  const resumedFor = (seconds: number) => ({ ledger: resumed(seconds), job: running() });
  test.each<[string, Partial<Facts>, boolean]>([
    ['lacks one ten seconds after its resume', resumedFor(10), true],
    ['does not lack one just after its resume', resumedFor(9), false],
    ['does not lack one once it has one', { ...resumedFor(10), jobPods: [next(CREATING)] }, false],
    ['does not lack one when it has ended', { ...resumedFor(10), job: job('complete') }, false],
    ['does not lack one while it is suspended', { ...resumedFor(10), job: job('suspended') }, false],
  ])('%s', (_title, seen, expected) => expect(lacksPod(facts({}, seen))).toBe(expected));
});
