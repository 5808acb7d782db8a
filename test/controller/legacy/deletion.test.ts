import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../controller/legacy/facts.js';
import { planDeletion } from '../../../controller/legacy/deletion.js';
import { LEGACY_FINALIZER } from '../../../controller/legacy/names.js';
import { ADOPTED_IN_BOOT } from '../../../controller/cluster/adopted-job.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import { job, NOW, op, pod, secondsAgo, parsed } from '../../builders.js';

const adopted = (seen: CachedJob): CachedJob => ({
  ...seen,
  metadata: { ...seen.metadata, labels: { 'kairos.io/node': 'n1' }, annotations: { [ADOPTED_IN_BOOT]: '' } },
});
const RUNNING_JOB = adopted(job('running'));
const OF_JOB = { owner: { kind: 'Job', uid: 'uid-job' } };
const RUNNING_POD = pod('work', OF_JOB);
const container = (state: object) => [{ name: 'nodeop', state }];
const PULLING_POD = pod('work', {
  ...OF_JOB,
  phase: 'Pending',
  containers: container({ waiting: { reason: 'ImagePullBackOff' } }),
});
const terminatingPod = (seconds: number) => pod('reboot', { terminating: seconds });

/** The plan `ago` seconds after the deletion, as a short text. */
const planText = (seen: Partial<Facts>, { ago = 10, spec = {} }: { ago?: number; spec?: object } = {}) => {
  const metadata = { deletionTimestamp: secondsAgo(ago), finalizers: [LEGACY_FINALIZER] };
  const deleted = op({ rebootOnSuccess: true, ...spec }, { metadata });
  const { actions, waiting } = planDeletion({
    op: deleted,
    nodeOp: parsed(deleted),
    isLegacyOwned: true,
    now: NOW,
    nodes: [],
    jobs: [],
    jobPods: [],
    rebootPods: [],
    readyNodes: new Set(['n1']),
    ...seen,
  });
  const texts = actions.map(action => [action.do, 'unfinished' in action ? action.unfinished : ''].join(' ').trim());
  return [...texts, ...(waiting ? [waiting] : [])].join();
};

describe('a NodeOp of the legacy operator that is being deleted', () => {
  test.each([
    [
      'has its reboot Pod deleted first',
      { rebootPods: [pod('reboot')], jobs: [RUNNING_JOB], jobPods: [RUNNING_POD] },
      'deletePod',
    ],
    [
      'has a Job that may write adopted',
      { jobs: [{ ...RUNNING_JOB, metadata: { ...RUNNING_JOB.metadata, annotations: {} } }], jobPods: [RUNNING_POD] },
      'adoptJob',
    ],
    [
      'waits for a Job that may write, an hour at most',
      { jobs: [RUNNING_JOB], jobPods: [RUNNING_POD] },
      'waiting for Job job to finish, until 2026-06-01T12:59:50.000Z',
    ],
    [
      'loses its finalizer if no container of its Job ever ran',
      { jobs: [RUNNING_JOB], jobPods: [PULLING_POD] },
      'removeFinalizer',
    ],
    [
      'waits while its command has ended and the next container has not started',
      {
        jobs: [RUNNING_JOB],
        jobPods: [
          {
            ...PULLING_POD,
            status: { ...PULLING_POD.status, initContainerStatuses: RUNNING_POD.status.containerStatuses },
          },
        ],
      },
      'waiting for Job job to finish, until 2026-06-01T12:59:50.000Z',
    ],
    ['loses its finalizer if its Job has not created a Pod yet', { jobs: [RUNNING_JOB] }, 'removeFinalizer'],
    [
      'waits for a Job that reports an active Pod',
      { jobs: [{ ...RUNNING_JOB, status: { active: 1 } }] },
      'waiting for Job job to finish, until 2026-06-01T12:09:50.000Z',
    ],
    [
      'loses its finalizer if the node of its Job is not Ready',
      { jobs: [RUNNING_JOB], jobPods: [RUNNING_POD], readyNodes: new Set<string>() },
      'removeFinalizer',
    ],
    [
      'waits for a terminating reboot Pod',
      { rebootPods: [terminatingPod(0)] },
      'waiting for Pod reboot to finish, until 2026-06-01T12:10:00.000Z',
    ],
    [
      'stops waiting for a terminating reboot Pod after ten minutes',
      { rebootPods: [terminatingPod(600)] },
      'removeFinalizer Pod reboot',
    ],
  ])('%s', (_sentence, seen, expected) => expect(planText(seen)).toBe(expected));

  test.each([
    ['is deleted an hour later without activeDeadlineSeconds', { ago: 3600 }, 'removeFinalizer Job job'],
    [
      'is deleted after activeDeadlineSeconds',
      { ago: 60, spec: { activeDeadlineSeconds: 60 } },
      'removeFinalizer Job job',
    ],
    [
      'is still awaited within a longer activeDeadlineSeconds',
      { ago: 3600, spec: { activeDeadlineSeconds: 7200 } },
      'waiting for Job job to finish, until 2026-06-01T13:00:00.000Z',
    ],
  ])('whose Job does not finish %s', (_sentence, when, expected) =>
    expect(planText({ jobs: [RUNNING_JOB], jobPods: [RUNNING_POD] }, when)).toBe(expected),
  );
});
