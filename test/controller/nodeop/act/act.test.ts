import { describe, expect, test } from '@jest/globals';
import { NODE_AGENT } from '../../../../api/kinds.js';
import type { NodeAgent } from '../../../../api/objects.js';
import { act } from '../../../../controller/nodeop/act/act.js';
import { ControlPlaneLease } from '../../../../controller/nodeop/act/control-plane-lease.js';
import { LiveReads } from '../../../../controller/nodeop/reads/live-reads.js';
import { Evictions } from '../../../../controller/nodeop/act/evictions.js';
import type { Action, Facts } from '../../../../controller/nodeop/facts/facts.js';
import type { CachedJob } from '../../../../controller/cluster/job.js';
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
/** Somebody wrote in between, or it is another object by now. */
const CONFLICT = { code: 409, reason: 'Conflict' };

/** A cluster with node, agent and a helper Pod; `see` reads from it as the controller would. */
function stage({ mark, cordoned }: { mark?: string; cordoned?: boolean } = {}, own?: ReturnType<typeof ledger>) {
  const kube = new FakeKube();
  kube.seed(NODES, node('n1', { mark, cordoned }));
  kube.seed(NODE_AGENT, nodeAgent({}, own));
  kube.seed(PODS, pod('helper'));
  const { caches } = cachesFollowing(kube);
  const told: string[] = [];
  const hands = {
    kube,
    caches,
    recorder: { record: ({ reason }: { reason: string }) => void told.push(reason) },
    evictions: new Evictions(() => NOW),
    liveReads: new LiveReads({ kube, caches, clock: fakeClock() }),
    controlPlane: new ControlPlaneLease({ kube, clock: fakeClock(), ownNamespace: 'operator-system' }),
    sentinel: { image: 'agent', command: ['sentinel'] },
    log: silentLog,
  };
  const see = (seen: Partial<Facts> = {}): Facts => {
    const agent = caches.nodeAgents.get({ name: 'n1' });
    return facts({}, { node: caches.nodes.get({ name: 'n1' }), agent, ledger: agent?.spec.operation, ...seen });
  };
  const agentNow = () => kube.get<NodeAgent>(NODE_AGENT, { name: 'n1' });
  const nodeNow = () => kube.get<CachedNode>(NODES, { name: 'n1' });
  return { kube, caches, told, see, agentNow, nodeNow, act: (what: Action, seen = see()) => act(seen, what, hands) };
}

describe('Acts on the ledger', () => {
  test('claim puts ledger and finalizer there, in one write', async () => {
    const world = stage();
    await world.act({ do: 'claim', ledger: ledger() });
    const { metadata, spec } = await world.agentNow();
    expect(metadata.finalizers).toEqual(['operator.kairos.io/claimed']);
    expect(spec.operation).toMatchObject({ id: 'uid-op-1', step: 'Claim' });
    expect(world.kube.writes).toHaveLength(1);
    expect(world.told).toEqual(['Started']);
  });

  test('the next look sees it at once', async () => {
    const world = stage();
    await world.act({ do: 'claim', ledger: ledger() });
    expect(world.caches.nodeAgents.byIndex('operation', 'uid-op')).toHaveLength(1);
  });

  test('of two claims on what both saw free, one is refused', async () => {
    const world = stage();
    const seen = world.see();
    await world.act({ do: 'claim', ledger: ledger({ id: 'first' }) }, seen);
    await expect(world.act({ do: 'claim', ledger: ledger({ id: 'second' }) }, seen)).rejects.toMatchObject(CONFLICT);
    expect((await world.agentNow()).spec.operation?.id).toBe('first');
  });

  test('record changes what it names, and null takes away', async () => {
    const world = stage({}, ledger({ reboot: { jobName: 'job', notAfter: NOW.toISOString() } }));
    await world.act({ do: 'record', change: { reboot: null, rebootWithdrawn: true } });
    const { operation } = (await world.agentNow()).spec;
    expect(operation).toMatchObject({ id: 'uid-op-1', rebootWithdrawn: true });
    expect(operation).not.toHaveProperty('reboot');
  });

  test.each<[string, Action, string[]]>([
    ['a reboot', { do: 'record', change: { reboot: { jobName: 'j', notAfter: NOW.toISOString() } } }, ['RebootAsked']],
    ['a drain left out', { do: 'record', change: { drainSkipped: true } }, ['DrainSkipped']],
    [
      'an end',
      {
        do: 'record',
        change: { result: { phase: 'Failed', reason: 'JobFailed', message: 'x', at: NOW.toISOString() } },
      },
      ['JobFailed'],
    ],
    ['a mere step', { do: 'record', change: { step: 'Run' } }, []],
  ])('%s that is recorded is told as it should be', async (_sentence, action, reasons) => {
    const world = stage({}, ledger());
    await world.act(action);
    expect(world.told).toEqual(reasons);
  });

  test('release takes ledger and finalizer away, in one write', async () => {
    const world = stage();
    await world.act({ do: 'claim', ledger: ledger() });
    await world.act({ do: 'release' });
    const { metadata, spec } = await world.agentNow();
    expect(spec).toEqual({ labels: true });
    expect(metadata.finalizers).toEqual([]);
  });

  test('nothing can be written where the NodeAgent is gone', async () => {
    const world = stage();
    await expect(world.act({ do: 'release' }, world.see({ agent: undefined }))).rejects.toThrow('does not exist');
  });
});

describe('Acts on the node', () => {
  test('cordon sets both, field and mark, and tells it on the node', async () => {
    const world = stage();
    await world.act({ do: 'cordon' });
    const { metadata, spec } = await world.nodeNow();
    expect(spec?.unschedulable).toBe(true);
    expect(metadata.annotations).toEqual({ 'operator.kairos.io/cordoned-by': MARK });
    expect(world.kube.writes).toHaveLength(1);
    expect(world.told).toEqual(['Cordoned']);
  });

  test('uncordon takes both away', async () => {
    const world = stage({ mark: MARK, cordoned: true });
    await world.act({ do: 'uncordon' });
    const { metadata, spec } = await world.nodeNow();
    expect(spec).not.toHaveProperty('unschedulable');
    expect(metadata.annotations).toEqual({});
    expect(world.told).toEqual(['Uncordoned']);
  });

  test('neither is done on a node that somebody changed meanwhile', async () => {
    const world = stage();
    const seen = world.see();
    await world.kube.patch(NODES, { name: 'n1' }, { spec: { unschedulable: true } });
    await expect(world.act({ do: 'cordon' }, seen)).rejects.toMatchObject(CONFLICT);
    expect((await world.nodeNow()).metadata.annotations).toBeUndefined();
  });

  test('neither is done where the node is gone', async () => {
    const world = stage();
    await world.act({ do: 'cordon' }, world.see({ node: undefined }));
    await world.act({ do: 'uncordon' }, world.see({ node: undefined }));
    expect(world.kube.writes).toEqual([]);
  });
});

describe('Acts on Jobs and Pods', () => {
  const suspended = job('suspended');

  test('the same Job is made once, however often it is asked for', async () => {
    const world = stage({}, ledger());
    await world.act({ do: 'createJob' });
    await world.act({ do: 'createJob' });
    expect(world.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: true } }]);
    expect(world.caches.jobs.byIndex('owner', 'uid-op')).toHaveLength(1);
  });

  test('the Job that was seen is let run', async () => {
    const world = stage({}, ledger());
    await world.act({ do: 'createJob' });
    for (const made of world.caches.jobs.list()) await world.act({ do: 'resumeJob', job: made });
    expect(world.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: false } }]);
  });

  test('also if its controller has written into its status meanwhile', async () => {
    const world = stage({}, ledger());
    await world.act({ do: 'createJob' });
    const [made] = world.caches.jobs.list();
    if (made === undefined) throw new Error('no Job');
    await world.kube.patch(JOBS, made.metadata, { status: { active: 0 } }, { subresource: 'status' });
    await world.act({ do: 'resumeJob', job: made });
    expect(world.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: false } }]);
  });

  test('but not if somebody has resumed and stopped it meanwhile: it never runs twice', async () => {
    const world = stage({}, ledger());
    await world.act({ do: 'createJob' });
    const [made] = world.caches.jobs.list();
    if (made === undefined) throw new Error('no Job');
    await world.kube.patch(JOBS, made.metadata, { spec: { suspend: false } });
    await world.kube.patch(JOBS, made.metadata, { spec: { suspend: true } });
    await expect(world.act({ do: 'resumeJob', job: made })).rejects.toMatchObject(CONFLICT);
    expect(world.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: true } }]);
  });

  test('it is said if something keeps it from running', async () => {
    const world = stage({}, ledger());
    await world.act({ do: 'createJob' });
    const [made] = world.caches.jobs.list();
    if (made === undefined) throw new Error('no Job');
    Object.assign(world.kube, { patch: async () => made });
    await expect(world.act({ do: 'resumeJob', job: made })).rejects.toThrow(JobSuspendedError);
  });

  test('what is to expire and is gone is forgotten', async () => {
    const world = stage({}, ledger());
    await world.act({ do: 'createJob' });
    const [made] = world.caches.jobs.list();
    if (made === undefined) throw new Error('no Job');
    Object.assign(world.kube, { patch: () => Promise.reject(new KubeError(404, 'not found', 'NotFound')) });
    await world.act({ do: 'expireJob', job: made, ttlSeconds: 1 });
    expect(world.caches.jobs.list()).toEqual([]);
  });

  test('another Job of the same name is not', async () => {
    const world = stage({}, ledger());
    await world.act({ do: 'createJob' });
    const [made] = world.caches.jobs.list();
    const older = { ...suspended, metadata: { ...suspended.metadata, ...made?.metadata, uid: 'older' } };
    await expect(world.act({ do: 'resumeJob', job: older })).rejects.toMatchObject(CONFLICT);
    expect(world.kube.all<CachedJob>(JOBS)).toMatchObject([{ spec: { suspend: true } }]);
  });

  test.each(['pull', 'preflight'] as const)('the %s Pod is made once', async which => {
    const world = stage({}, ledger());
    await world.act({ do: 'createPod', pod: which });
    await world.act({ do: 'createPod', pod: which });
    expect(world.kube.all(PODS)).toHaveLength(2);
    expect(world.caches.pods.byIndex('owner', 'uid-op')).toHaveLength(1);
  });

  test('helper Pods are deleted', async () => {
    const world = stage();
    await world.act({ do: 'deletePods', pods: [pod('helper')] });
    expect(world.kube.all(PODS)).toEqual([]);
  });

  test('a helper Pod that is gone is no trouble', async () => {
    const world = stage();
    await world.act({ do: 'deletePods', pods: [pod('gone'), pod('helper')] });
    expect(world.kube.all(PODS)).toEqual([]);
  });

  test('another Pod of the same name is left alone', async () => {
    const world = stage();
    const older = pod('helper');
    await world.act({ do: 'deletePods', pods: [{ ...older, metadata: { ...older.metadata, uid: 'older' } }] });
    expect(world.kube.all(PODS)).toHaveLength(1);
  });
});
