import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../controller/legacy/facts.js';
import { planDeletion } from '../../../controller/legacy/deletion.js';
import { LEGACY_FINALIZER } from '../../../controller/legacy/names.js';
import { ADOPTED_IN_BOOT } from '../../../controller/cluster/adopted-job.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import { job, NOW, op, pod, secondsAgo, parsed } from '../../builders.js';

const marked = (seen: CachedJob): CachedJob => ({
  ...seen,
  metadata: { ...seen.metadata, labels: { 'kairos.io/node': 'n1' }, annotations: { [ADOPTED_IN_BOOT]: '' } },
});
const RUNS = marked(job('running'));
const OF_JOB = { owner: { kind: 'Job', uid: 'uid-job' } };
const WORKS = pod('work', OF_JOB);
const container = (state: object) => [{ name: 'nodeop', state }];
const PULLS = pod('work', {
  ...OF_JOB,
  phase: 'Pending',
  containers: container({ waiting: { reason: 'ImagePullBackOff' } }),
});
const LEAVES = (seconds: number) => pod('reboot', { terminating: seconds });

/** What is done `ago` seconds after the deletion. */
const said = (seen: Partial<Facts>, { ago = 10, spec = {} }: { ago?: number; spec?: object } = {}) => {
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
  const words = actions.map(action => [action.do, 'unfinished' in action ? action.unfinished : ''].join(' ').trim());
  return [...words, ...(waiting ? [waiting] : [])].join();
};

describe('an operation that is being deleted', () => {
  test.each([
    ['has its reboot Pod removed first', { rebootPods: [pod('reboot')], jobs: [RUNS], jobPods: [WORKS] }, 'deletePod'],
    [
      'has a Job that writes watched',
      { jobs: [{ ...RUNS, metadata: { ...RUNS.metadata, annotations: {} } }], jobPods: [WORKS] },
      'adoptJob',
    ],
    [
      'waits for such a Job, an hour at most',
      { jobs: [RUNS], jobPods: [WORKS] },
      'waiting for Job job to finish, until 2026-06-01T12:59:50.000Z',
    ],
    ['goes when no container of its Job ever ran', { jobs: [RUNS], jobPods: [PULLS] }, 'removeFinalizer'],
    [
      'waits when its command has ended, and the next container has not begun',
      {
        jobs: [RUNS],
        jobPods: [{ ...PULLS, status: { ...PULLS.status, initContainerStatuses: WORKS.status.containerStatuses } }],
      },
      'waiting for Job job to finish, until 2026-06-01T12:59:50.000Z',
    ],
    ['goes when its Job has not made a Pod yet', { jobs: [RUNS] }, 'removeFinalizer'],
    [
      'waits for a Job that says that a Pod runs',
      { jobs: [{ ...RUNS, status: { active: 1 } }] },
      'waiting for Job job to finish, until 2026-06-01T12:09:50.000Z',
    ],
    [
      'goes when the node of its Job is off',
      { jobs: [RUNS], jobPods: [WORKS], readyNodes: new Set<string>() },
      'removeFinalizer',
    ],
    [
      'waits for a reboot Pod that is leaving',
      { rebootPods: [LEAVES(0)] },
      'waiting for Pod reboot to finish, until 2026-06-01T12:10:00.000Z',
    ],
    ['does not wait for that one without end', { rebootPods: [LEAVES(600)] }, 'removeFinalizer Pod reboot'],
  ])('%s', (_sentence, seen, expected) => expect(said(seen)).toBe(expected));

  test.each([
    ['an hour is over', { ago: 3600 }, 'removeFinalizer Job job'],
    ['its own time is over', { ago: 60, spec: { activeDeadlineSeconds: 60 } }, 'removeFinalizer Job job'],
    [
      'its own time is longer',
      { ago: 3600, spec: { activeDeadlineSeconds: 7200 } },
      'waiting for Job job to finish, until 2026-06-01T13:00:00.000Z',
    ],
  ])('whose Job does not end: %s', (_sentence, when, expected) =>
    expect(said({ jobs: [RUNS], jobPods: [WORKS] }, when)).toBe(expected),
  );
});
