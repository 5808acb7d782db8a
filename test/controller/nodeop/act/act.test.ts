import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT } from '../../../../api/kinds.js';
import type { NodeAgent } from '../../../../api/objects.js';
import { act } from '../../../../controller/nodeop/act/act.js';
import { ControlPlaneLease } from '../../../../controller/nodeop/act/control-plane-lease.js';
import { CreatedPods } from '../../../../controller/nodeop/reads/created-pods.js';
import { LiveReads } from '../../../../controller/nodeop/reads/live-reads.js';
import { Evictions } from '../../../../controller/nodeop/act/evictions.js';
import type { Action, Facts } from '../../../../controller/nodeop/facts/facts.js';
import type { CachedJob } from '../../../../controller/cluster/job.js';
import { ownedBy } from '../../../../controller/cluster/owner-index.js';
import type { CachedNode } from '../../../../controller/cluster/node.js';
import { JobSuspendedError } from '../../../../controller/nodeop/act/workloads.js';
import { KubeError } from '../../../../kube/errors.js';
import { JOBS, NODES, PODS } from '../../../../kube/resources.js';
import { silentLog } from '../../../../program/log.js';
import { fakeClock } from '../../../fakes/clock.js';
import { cachesFollowing } from '../../../fakes/caches.js';
import { FakeKube } from '../../../fakes/kube.js';
import { facts, job, ledger, node, nodeAgent, NOW, pod } from '../../../builders.js';

const MARK = 'default/op@uid-op';
/** Another writer changed or replaced the object since it was read. */
const CONFLICT = { code: 409, reason: 'Conflict' };

/** A cluster with a node, its NodeAgent and a helper Pod; `observe` returns the facts as the controller would have them. */
function setup({ mark, cordoned }: { mark?: string; cordoned?: boolean } = {}, own?: ReturnType<typeof ledger>) {
  const kube = new FakeKube();
  kube.seed(NODES, node('n1', { mark, cordoned }));
  kube.seed(NODE_AGENT, nodeAgent({}, own));
  kube.seed(PODS, pod('helper'));
  const { caches } = cachesFollowing(kube);
  const events: string[] = [];
  const deps = {
    kube,
    caches,
    recorder: { record: ({ reason }: { reason: string }) => void events.push(reason) },
    evictions: new Evictions({ now: () => NOW, monotonic: () => 0 }),
    liveReads: new LiveReads({ kube, caches, clock: fakeClock() }),
    createdPods: new CreatedPods(),
    controlPlane: new ControlPlaneLease({ kube, clock: fakeClock(), ownNamespace: 'operator-system' }),
    sentinel: { image: 'agent', command: ['sentinel'] },
    log: silentLog,
  };
  const observe = (overrides: Partial<Facts> = {}): Facts => {
    const agent = caches.nodeAgents.get({ name: 'n1' });
    return facts({}, { node: caches.nodes.get({ name: 'n1' }), agent, ledger: agent?.spec.operation, ...overrides });
  };
  const agentNow = () => kube.get<NodeAgent>(NODE_AGENT, { name: 'n1' });
  const nodeNow = () => kube.get<CachedNode>(NODES, { name: 'n1' });
  return {
    kube,
    caches,
    events,
    observe,
    agentNow,
    nodeNow,
    act: (action: Action, observed = observe()) => act(observed, action, deps),
  };
}

describe('An action on the ledger', () => {
  test('claim writes ledger and finalizer in one patch', async () => {
    const cluster = setup();
    await cluster.act({ do: 'claim', ledger: ledger() });
    const { metadata, spec } = await cluster.agentNow();
    expect(metadata.finalizers).toEqual(['operator.kairos.io/claimed']);
    expect(spec.operation).toMatchObject({ id: 'uid-op-1', step: 'Claim' });
    expect(cluster.kube.writes).toHaveLength(1);
    expect(cluster.events).toEqual(['Started']);
  });

  test('claim updates the cache at once', async () => {
    const cluster = setup();
    await cluster.act({ do: 'claim', ledger: ledger() });
    expect(cluster.caches.nodeAgents.byIndex('operation', 'uid-op')).toHaveLength(1);
  });

  test('claim fails with a conflict when another claim was faster', async () => {
    const cluster = setup();
    const before = cluster.observe();
    await cluster.act({ do: 'claim', ledger: ledger({ id: 'first' }) }, before);
    await expect(cluster.act({ do: 'claim', ledger: ledger({ id: 'second' }) }, before)).rejects.toMatchObject(
      CONFLICT,
    );
    expect((await cluster.agentNow()).spec.operation?.id).toBe('first');
  });

  test('record changes the given fields and removes those that are null', async () => {
    const cluster = setup({}, ledger({ reboot: { jobName: 'job', notAfter: NOW.toISOString() } }));
    await cluster.act({ do: 'record', change: { reboot: null, rebootWithdrawn: true } });
    const { operation } = (await cluster.agentNow()).spec;
    expect(operation).toMatchObject({ id: 'uid-op-1', rebootWithdrawn: true });
    expect(operation).not.toHaveProperty('reboot');
  });

  test.each<[string, Action, string[]]>([
    ['a reboot', { do: 'record', change: { reboot: { jobName: 'j', notAfter: NOW.toISOString() } } }, ['RebootAsked']],
    ['a skipped drain', { do: 'record', change: { drainSkipped: true } }, ['DrainSkipped']],
    [
      'a result',
      {
        do: 'record',
        change: { result: { phase: 'Failed', reason: 'JobFailed', message: 'x', at: NOW.toISOString() } },
      },
      ['JobFailed'],
    ],
    ['a step', { do: 'record', change: { step: 'Run' } }, []],
  ])('record of %s creates its Event', async (_sentence, action, reasons) => {
    const cluster = setup({}, ledger());
    await cluster.act(action);
    expect(cluster.events).toEqual(reasons);
  });

  test('release removes ledger and finalizer in one patch', async () => {
    const cluster = setup();
    await cluster.act({ do: 'claim', ledger: ledger() });
    await cluster.act({ do: 'release' });
    const { metadata, spec } = await cluster.agentNow();
    expect(spec).toEqual({ labels: true });
    expect(metadata.finalizers).toEqual([]);
  });

  test('release fails when the NodeAgent does not exist', async () => {
    const cluster = setup();
    await expect(cluster.act({ do: 'release' }, cluster.observe({ agent: undefined }))).rejects.toThrow(
      'does not exist',
    );
  });
});

describe('An action on the node', () => {
  test('cordon sets field and mark in one patch and creates an Event on the node', async () => {
    const cluster = setup();
    await cluster.act({ do: 'cordon' });
    const { metadata, spec } = await cluster.nodeNow();
    expect(spec?.unschedulable).toBe(true);
    expect(metadata.annotations).toEqual({ 'operator.kairos.io/cordoned-by': MARK });
    expect(cluster.kube.writes).toHaveLength(1);
    expect(cluster.events).toEqual(['Cordoned']);
  });

  test('uncordon removes field and mark', async () => {
    const cluster = setup({ mark: MARK, cordoned: true });
    await cluster.act({ do: 'uncordon' });
    const { metadata, spec } = await cluster.nodeNow();
    expect(spec).not.toHaveProperty('unschedulable');
    expect(metadata.annotations).toEqual({});
    expect(cluster.events).toEqual(['Uncordoned']);
  });

  test('cordon fails with a conflict when the node has changed', async () => {
    const cluster = setup();
    const before = cluster.observe();
    await cluster.kube.patch(NODES, { name: 'n1' }, { spec: { unschedulable: true } });
    await expect(cluster.act({ do: 'cordon' }, before)).rejects.toMatchObject(CONFLICT);
    expect((await cluster.nodeNow()).metadata.annotations).toBeUndefined();
  });

  test('cordon and uncordon do nothing when the node does not exist', async () => {
    const cluster = setup();
    await cluster.act({ do: 'cordon' }, cluster.observe({ node: undefined }));
    await cluster.act({ do: 'uncordon' }, cluster.observe({ node: undefined }));
    expect(cluster.kube.writes).toEqual([]);
  });
});

describe('An action on a Job or Pod', () => {
  const suspended = job('suspended');

  test('createJob creates the Job once when it is repeated', async () => {
    const cluster = setup({}, ledger());
    await cluster.act({ do: 'createJob' });
    await cluster.act({ do: 'createJob' });
    expect(cluster.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: true } }]);
    expect(ownedBy(cluster.caches.jobs, { metadata: { namespace: 'default', uid: 'uid-op' } })).toHaveLength(1);
  });

  test('resumeJob resumes the Job', async () => {
    const cluster = setup({}, ledger());
    await cluster.act({ do: 'createJob' });
    for (const created of cluster.caches.jobs.list()) await cluster.act({ do: 'resumeJob', job: created });
    expect(cluster.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: false } }]);
  });

  test('resumeJob resumes a Job whose status has changed', async () => {
    const cluster = setup({}, ledger());
    await cluster.act({ do: 'createJob' });
    const [created] = cluster.caches.jobs.list();
    if (created === undefined) throw new Error('no Job');
    await cluster.kube.patch(JOBS, created.metadata, { status: { active: 0 } }, { subresource: 'status' });
    await cluster.act({ do: 'resumeJob', job: created });
    expect(cluster.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: false } }]);
  });

  test('resumeJob fails with a conflict when the Job was resumed and suspended meanwhile', async () => {
    const cluster = setup({}, ledger());
    await cluster.act({ do: 'createJob' });
    const [created] = cluster.caches.jobs.list();
    if (created === undefined) throw new Error('no Job');
    await cluster.kube.patch(JOBS, created.metadata, { spec: { suspend: false } });
    await cluster.kube.patch(JOBS, created.metadata, { spec: { suspend: true } });
    await expect(cluster.act({ do: 'resumeJob', job: created })).rejects.toMatchObject(CONFLICT);
    expect(cluster.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: true } }]);
  });

  test('resumeJob fails when something sets spec.suspend again', async () => {
    const cluster = setup({}, ledger());
    await cluster.act({ do: 'createJob' });
    const [created] = cluster.caches.jobs.list();
    if (created === undefined) throw new Error('no Job');
    Object.assign(cluster.kube, { patch: async () => created });
    await expect(cluster.act({ do: 'resumeJob', job: created })).rejects.toThrow(JobSuspendedError);
  });

  test('resumeJob counts the resume on the Job, and not one that admission has undone', async () => {
    const cluster = setup({}, ledger());
    await cluster.act({ do: 'createJob' });
    const resumed = async () => {
      const [at] = cluster.caches.jobs.list();
      if (at === undefined) throw new Error('no Job');
      const created = await cluster.kube.patch<CachedJob>(JOBS, at.metadata, { spec: { suspend: true, edited: true } });
      await cluster.act({ do: 'resumeJob', job: created }).catch(() => undefined);
      return cluster.kube.all<CachedJob>(JOBS)[0];
    };
    const patch = cluster.kube.patch.bind(cluster.kube);
    const undone: typeof patch = (resource, name, change, options) =>
      patch(resource, name, JSON.parse(JSON.stringify(change).replace('"suspend":false', '"suspend":true')), options);
    Object.assign(cluster.kube, { patch: undone });
    const annotations = (count: string) => ({ metadata: { annotations: { 'operator.kairos.io/resumes': count } } });
    expect(await resumed()).toMatchObject({ ...annotations('0'), spec: { suspend: true } });
    Object.assign(cluster.kube, { patch });
    expect(await resumed()).toMatchObject({ ...annotations('1'), spec: { suspend: false } });
    expect(await resumed()).toMatchObject({ ...annotations('2'), spec: { suspend: false } });
  });

  test('expireJob removes a Job that does not exist from the cache', async () => {
    const cluster = setup({}, ledger());
    await cluster.act({ do: 'createJob' });
    const [created] = cluster.caches.jobs.list();
    if (created === undefined) throw new Error('no Job');
    Object.assign(cluster.kube, { patch: () => Promise.reject(new KubeError(404, 'not found', 'NotFound')) });
    await cluster.act({ do: 'expireJob', job: created, ttlSeconds: 1 });
    expect(cluster.caches.jobs.list()).toEqual([]);
  });

  test('resumeJob fails with a conflict for another Job of the same name', async () => {
    const cluster = setup({}, ledger());
    await cluster.act({ do: 'createJob' });
    const [created] = cluster.caches.jobs.list();
    const older = { ...suspended, metadata: { ...suspended.metadata, ...created?.metadata, uid: 'older' } };
    await expect(cluster.act({ do: 'resumeJob', job: older })).rejects.toMatchObject(CONFLICT);
    expect(cluster.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: true } }]);
  });

  test.each(['pull', 'preflight'] as const)('createPod creates the %s Pod once when it is repeated', async which => {
    const cluster = setup({}, ledger());
    await cluster.act({ do: 'createPod', pod: which });
    await cluster.act({ do: 'createPod', pod: which });
    expect(cluster.kube.all(PODS)).toHaveLength(2);
    expect(ownedBy(cluster.caches.pods, { metadata: { namespace: 'default', uid: 'uid-op' } })).toHaveLength(1);
  });

  test('deletePods deletes helper Pods', async () => {
    const cluster = setup();
    await cluster.act({ do: 'deletePods', pods: [pod('helper')] });
    expect(cluster.kube.all(PODS)).toEqual([]);
  });

  test('deletePods ignores a Pod that does not exist', async () => {
    const cluster = setup();
    await cluster.act({ do: 'deletePods', pods: [pod('gone'), pod('helper')] });
    expect(cluster.kube.all(PODS)).toEqual([]);
  });

  test('deletePods keeps another Pod of the same name', async () => {
    const cluster = setup();
    const older = pod('helper');
    await cluster.act({ do: 'deletePods', pods: [{ ...older, metadata: { ...older.metadata, uid: 'older' } }] });
    expect(cluster.kube.all(PODS)).toHaveLength(1);
  });
});
