import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../../api/kinds.js';
import { ANNOTATIONS, FINALIZERS, LABELS } from '../../../api/names.js';
import type { NodeOp } from '../../../api/objects.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import { jobFinalizerController } from '../../../controller/nodeop/job-finalizer.js';
import { KubeError } from '../../../kube/errors.js';
import { JOBS, PODS } from '../../../kube/resources.js';
import { silentLog } from '../../../program/log.js';
import { job, op, pod } from '../../builders.js';
import { cachesFollowing, emptyCaches } from '../../fakes/caches.js';
import { fakeClock } from '../../fakes/clock.js';
import { FakeKube } from '../../fakes/kube.js';

type State = Parameters<typeof job>[0];

const HELD = [FINALIZERS.job];
const OWNER = { apiVersion: 'operator.kairos.io/v1alpha1', kind: NODE_OP.kind, name: 'op', uid: 'uid-op' };
const labels = { [LABELS.nodeOpUid]: 'uid-op', [LABELS.node]: 'n1' };
const annotations = { [ANNOTATIONS.nodeOpName]: 'op', [ANNOTATIONS.nodeName]: 'n1' };

const withEntry = (phase: 'Running' | 'Completed' | 'Failed', more: object = {}): NodeOp =>
  op({}, { status: { phase: 'Running', nodeStatuses: { n1: { phase, ...more }, n2: { phase: 'Running' } } } });

function heldJob(state: State, metadata: object = {}): CachedJob {
  const { metadata: known, ...rest } = job(state);
  return {
    ...rest,
    metadata: { ...known, labels, annotations, finalizers: HELD, ownerReferences: [OWNER], ...metadata },
  };
}

const podOfJob = (phase: string) => pod('job-1', { phase, owner: { kind: 'Job', uid: 'uid-job' } });

interface Setup {
  nodeOp?: NodeOp;
  job: CachedJob;
  podPhase?: string;
  /** What the cache of the controller holds in place of the NodeOp. */
  cachedNodeOp?: NodeOp;
}

function setUp({ nodeOp, job: held, podPhase, cachedNodeOp }: Setup) {
  const kube = new FakeKube();
  if (nodeOp) kube.seed(NODE_OP, nodeOp);
  kube.seed(JOBS, held);
  if (podPhase) kube.seed(PODS, podOfJob(podPhase));
  const reads: string[] = [];
  const get = kube.get.bind(kube);
  kube.get = (resource, at) => {
    reads.push(resource.plural);
    return get(resource, at);
  };
  const following = cachesFollowing(kube);
  const { nodeOps } = emptyCaches();
  nodeOps.replaceAll(cachedNodeOp ? [cachedNodeOp] : [], '0');
  const caches = cachedNodeOp ? { ...following.caches, nodeOps } : following.caches;
  const jobNow = () => {
    const [found] = kube.all<CachedJob>(JOBS);
    return found && [found.metadata.finalizers ?? [], found.spec.suspend];
  };
  return { kube, caches, reads, jobNow };
}

/** Runs the controller for 15 s; `act` happens after the first. */
async function run({ kube, caches }: Pick<ReturnType<typeof setUp>, 'kube' | 'caches'>, act = () => {}): Promise<void> {
  const clock = fakeClock();
  const leading = new AbortController();
  const ended = jobFinalizerController({ kube, caches, clock, log: silentLog }, leading.signal);
  await clock.advance(1_000);
  act();
  await clock.advance(14_000);
  leading.abort();
  await ended;
}

describe('the Job of a node that has ended', () => {
  test.each<[string, Omit<Setup, 'nodeOp'>]>([
    ['that is Complete', { job: heldJob('complete') }],
    ['that has failed', { job: heldJob('failed') }],
    [
      'whose Pod has succeeded, and whose completion is never seen,',
      { job: heldJob('running'), podPhase: 'Succeeded' },
    ],
  ])('%s is suspended by the one write that releases it', async (_which, setup) => {
    const cluster = setUp({ nodeOp: withEntry('Completed'), ...setup });
    await run(cluster);
    expect(cluster.jobNow()).toEqual([[], true]);
    expect([cluster.reads, cluster.kube.writes.length]).toEqual([[], 1]);
  });

  test('is kept until the Job controller completes it', async () => {
    const cluster = setUp({ nodeOp: withEntry('Completed'), job: heldJob('running'), podPhase: 'Succeeded' });
    const heldUntil: unknown[] = [];
    await run(cluster, () => {
      heldUntil.push(cluster.jobNow());
      const { status } = job('complete');
      void cluster.kube.patch(JOBS, { name: 'job', namespace: 'default' }, { status }, { subresource: 'status' });
    });
    expect([heldUntil, cluster.jobNow()]).toEqual([[[HELD, false]], [[], true]]);
  });

  test('is suspended while it runs, if the API server confirms that the node has ended', async () => {
    const cluster = setUp({ nodeOp: withEntry('Failed'), job: heldJob('running'), podPhase: 'Running' });
    await run(cluster);
    expect([cluster.jobNow(), cluster.reads]).toEqual([[[], true], [NODE_OP.plural]]);
  });

  test('is neither released nor suspended when the node has ended only in a stale cache, before a retry', async () => {
    const cluster = setUp({
      nodeOp: withEntry('Running'),
      job: heldJob('running'),
      podPhase: 'Running',
      cachedNodeOp: withEntry('Failed'),
    });
    await run(cluster);
    expect(cluster.jobNow()).toEqual([HELD, false]);
  });

  test('is released although a policy does not let it be suspended', async () => {
    const cluster = setUp({ nodeOp: withEntry('Completed'), job: heldJob('complete') });
    cluster.kube.onWrite = ({ body }) => {
      if (JSON.stringify(body).includes('suspend')) throw new KubeError(403, 'denied by a policy');
    };
    await run(cluster);
    expect(cluster.jobNow()).toEqual([[], false]);
  });
});

describe('a Job whose annotations were stripped', () => {
  const stripped = { annotations: undefined };
  test.each<[string, CachedJob, NodeOp]>([
    ['owner reference and label', heldJob('complete', stripped), withEntry('Completed')],
    [
      'owner reference and the name in the status',
      heldJob('complete', { ...stripped, labels: { ...labels, [LABELS.node]: 'hash' } }),
      withEntry('Completed', { jobName: 'job' }),
    ],
    ['uid alone', heldJob('complete', { ...stripped, ownerReferences: undefined }), withEntry('Completed')],
  ])('is released by its %s', async (_by, held, nodeOp) => {
    const cluster = setUp({ nodeOp, job: held });
    await run(cluster);
    expect(cluster.jobNow()).toEqual([[], true]);
  });

  test('is kept while its node works', async () => {
    const cluster = setUp({ nodeOp: withEntry('Running'), job: heldJob('complete', stripped) });
    await run(cluster);
    expect(cluster.jobNow()).toEqual([HELD, false]);
  });
});

describe('a Job that is deleted before its node has ended', () => {
  const deleted = { deletionTimestamp: '2026-06-01T12:00:00Z' };

  test('is released when it runs', async () => {
    const cluster = setUp({
      nodeOp: withEntry('Running'),
      job: heldJob('running', deleted),
      podPhase: 'Running',
    });
    await run(cluster);
    expect(cluster.jobNow()).toBeUndefined();
  });

  test('is kept with its Pod that has succeeded, until the result is in the status', async () => {
    const cluster = setUp({
      nodeOp: withEntry('Running'),
      job: heldJob('running', deleted),
      podPhase: 'Succeeded',
    });
    const heldUntil: unknown[] = [];
    await run(cluster, () => {
      heldUntil.push(cluster.jobNow());
      const { status } = withEntry('Completed');
      void cluster.kube.patch(NODE_OP, { name: 'op', namespace: 'default' }, { status }, { subresource: 'status' });
    });
    expect([heldUntil, cluster.jobNow()]).toEqual([[[HELD, false]], undefined]);
  });
});

describe('a Job whose NodeOp was removed by force', () => {
  test('is released and left to the garbage collector while it runs', async () => {
    const cluster = setUp({ job: heldJob('running'), podPhase: 'Running' });
    await run(cluster);
    expect(cluster.jobNow()).toEqual([[], false]);
  });

  test('is suspended when its Pod has succeeded', async () => {
    const cluster = setUp({ job: heldJob('running'), podPhase: 'Succeeded' });
    await run(cluster);
    expect(cluster.jobNow()).toEqual([[], true]);
  });
});
