import { beforeEach, describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../../../api/kinds.js';
import type { NodeOp } from '../../../../api/objects.js';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { LiveReads } from '../../../../controller/nodeop/reads/live-reads.js';
import { JOBS, NODES, PODS } from '../../../../kube/resources.js';
import { emptyCaches } from '../../../fakes/caches.js';
import { type FakeClock, fakeClock } from '../../../fakes/clock.js';
import { FakeKube } from '../../../fakes/kube.js';
import { facts, job, node, nodeAgent, op, pod, ran, parsed } from '../../../builders.js';

const STALE_AFTER_MS = 300_000;
const started = (lastUpdated = 'once'): NodeOp =>
  op({}, { status: { phase: 'Running', nodeStatuses: { n1: { phase: 'Running', step: 'Run', lastUpdated } } } });

let kube: FakeKube;
let caches: ReturnType<typeof emptyCaches>;
let clock: FakeClock;
let liveReads: LiveReads;

beforeEach(() => {
  kube = new FakeKube();
  caches = emptyCaches();
  clock = fakeClock();
  liveReads = new LiveReads({ kube, caches, clock });
  kube.seed(NODE_OP, started());
  kube.seed(NODE_AGENT, nodeAgent({}, ran('Run')));
  kube.seed(NODES, node('n1', { bootId: 'boot-2' }));
  kube.seed(JOBS, job('complete'));
  kube.seed(PODS, pod('new'));
});

const refresh = (overrides: Partial<Facts> = {}, current = started()) => {
  const nodeOp = parsed(current);
  return liveReads.refreshStale(nodeOp, [{ ...facts({}, { ledger: ran('Run'), ...overrides }), nodeOp }]);
};
const refreshWhenStale = async (overrides: Partial<Facts> = {}) => {
  await refresh(overrides);
  await clock.advance(STALE_AFTER_MS);
  await refresh(overrides);
};

describe('A node without progress for five minutes', () => {
  test('is read from the API server into all caches', async () => {
    await refreshWhenStale();
    expect(caches.jobs.get({ namespace: 'default', name: 'job' })?.status?.conditions?.[0]?.type).toBe('Complete');
    expect(caches.nodes.get({ name: 'n1' })?.status?.nodeInfo?.bootID).toBe('boot-2');
    expect(caches.nodeAgents.get({ name: 'n1' })?.spec.operation?.step).toBe('Run');
    expect(caches.pods.byIndex('node', 'n1').map(({ metadata }) => metadata.name)).toEqual(['new']);
    expect(caches.nodeOps.get({ namespace: 'default', name: 'op' })).toBeDefined();
  });

  test('loses cached objects that do not exist any more', async () => {
    caches.pods.put({ ...pod('gone'), metadata: { ...pod('gone').metadata, resourceVersion: '2' } });
    caches.jobs.put(job('running'));
    await kube.delete(JOBS, { namespace: 'default', name: 'job' });
    await refreshWhenStale();
    expect(caches.pods.byIndex('node', 'n1').map(({ metadata }) => metadata.name)).toEqual(['new']);
    expect(caches.jobs.list()).toEqual([]);
  });

  test('keeps a cached pod that is newer than the list', async () => {
    const young = { ...pod('young'), metadata: { ...pod('young').metadata, resourceVersion: '999999' } };
    caches.pods.put(young);
    await refreshWhenStale();
    expect(caches.pods.byIndex('node', 'n1')).toHaveLength(2);
  });

  test('is read again after another five minutes only', async () => {
    await refreshWhenStale();
    const cached = caches.nodes.get({ name: 'n1' });
    await kube.patch(NODES, { name: 'n1' }, { spec: { unschedulable: true } });
    await refresh();
    expect(caches.nodes.get({ name: 'n1' })).toBe(cached);
    await clock.advance(STALE_AFTER_MS);
    await refresh();
    expect(caches.nodes.get({ name: 'n1' })?.spec?.unschedulable).toBe(true);
  });

  test('is not read while its status changes', async () => {
    await refresh();
    await clock.advance(STALE_AFTER_MS);
    await refresh({}, started('again'));
    expect(caches.nodes.list()).toEqual([]);
  });

  test.each<[string, Partial<Facts>, number]>([
    ['waits for its turn only', { ledger: undefined }, 0],
    ['is claimed by another operation', { ledger: undefined, claimedBy: 'infra/other' }, 1],
    ['is not Ready', { ledger: undefined, node: node('n1', { ready: false }) }, 1],
    ['has no NodeAgent yet', { ledger: undefined, agent: undefined }, 1],
  ])('that %s is read %d times', async (_sentence, overrides, reads) => {
    await refreshWhenStale(overrides);
    expect(caches.nodeAgents.list()).toHaveLength(reads);
  });
});
