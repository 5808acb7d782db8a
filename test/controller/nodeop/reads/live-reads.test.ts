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
let look: LiveReads;

beforeEach(() => {
  kube = new FakeKube();
  caches = emptyCaches();
  clock = fakeClock();
  look = new LiveReads({ kube, caches, clock });
  kube.seed(NODE_OP, started());
  kube.seed(NODE_AGENT, nodeAgent({}, ran('Run')));
  kube.seed(NODES, node('n1', { bootId: 'boot-2' }));
  kube.seed(JOBS, job('complete'));
  kube.seed(PODS, pod('new'));
});

const take = (seen: Partial<Facts> = {}, told = started()) => {
  const nodeOp = parsed(told);
  return look.refreshStale(nodeOp, [{ ...facts({}, { ledger: ran('Run'), ...seen }), nodeOp }]);
};
const silently = async (seen: Partial<Facts> = {}) => {
  await take(seen);
  await clock.advance(STALE_AFTER_MS);
  await take(seen);
};

describe('A node of which nothing was heard for five minutes', () => {
  test('is read from the API server: what no watch told of is known', async () => {
    await silently();
    expect(caches.jobs.get({ namespace: 'default', name: 'job' })?.status?.conditions?.[0]?.type).toBe('Complete');
    expect(caches.nodes.get({ name: 'n1' })?.status?.nodeInfo?.bootID).toBe('boot-2');
    expect(caches.nodeAgents.get({ name: 'n1' })?.spec.operation?.step).toBe('Run');
    expect(caches.pods.byIndex('node', 'n1').map(({ metadata }) => metadata.name)).toEqual(['new']);
    expect(caches.nodeOps.get({ namespace: 'default', name: 'op' })).toBeDefined();
  });

  test('loses what is not there any more', async () => {
    caches.pods.put({ ...pod('gone'), metadata: { ...pod('gone').metadata, resourceVersion: '2' } });
    caches.jobs.put(job('running'));
    await kube.delete(JOBS, { namespace: 'default', name: 'job' });
    await silently();
    expect(caches.pods.byIndex('node', 'n1').map(({ metadata }) => metadata.name)).toEqual(['new']);
    expect(caches.jobs.list()).toEqual([]);
  });

  test('keeps a pod that is younger than the list', async () => {
    const young = { ...pod('young'), metadata: { ...pod('young').metadata, resourceVersion: '999999' } };
    caches.pods.put(young);
    await silently();
    expect(caches.pods.byIndex('node', 'n1')).toHaveLength(2);
  });

  test('is asked for again only after as long a time', async () => {
    await silently();
    const asked = caches.nodes.get({ name: 'n1' });
    await kube.patch(NODES, { name: 'n1' }, { spec: { unschedulable: true } });
    await take();
    expect(caches.nodes.get({ name: 'n1' })).toBe(asked);
    await clock.advance(STALE_AFTER_MS);
    await take();
    expect(caches.nodes.get({ name: 'n1' })?.spec?.unschedulable).toBe(true);
  });

  test('is believed while its report changes', async () => {
    await take();
    await clock.advance(STALE_AFTER_MS);
    await take({}, started('again'));
    expect(caches.nodes.list()).toEqual([]);
  });

  test.each<[string, Partial<Facts>, number]>([
    ['waits for its turn alone', { ledger: undefined }, 0],
    ['is held by another operation', { ledger: undefined, claimedBy: 'infra/other' }, 1],
    ['is not Ready', { ledger: undefined, node: node('n1', { ready: false }) }, 1],
    ['has no NodeAgent yet', { ledger: undefined, agent: undefined }, 1],
  ])('that %s: read %s', async (_sentence, seen, read) => {
    await silently(seen);
    expect(caches.nodeAgents.list()).toHaveLength(read);
  });
});
