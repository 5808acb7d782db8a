import { afterEach, describe, expect, test } from '@jest/globals';
import { NODE_AGENT, NODE_OP } from '../../../api/kinds.js';
import type { NodeAgent } from '../../../api/objects.js';
import { nodeAgentController } from '../../../controller/nodeagents/controller.js';
import type { CachedNode } from '../../../controller/cluster/node.js';
import type { Event } from '../../../kube/event-recorder.js';
import { NODES, PODS } from '../../../kube/resources.js';
import { silentLog } from '../../../program/log.js';
import { fakeClock } from '../../fakes/clock.js';
import { cachesFollowing } from '../../fakes/caches.js';
import { FakeKube } from '../../fakes/kube.js';
import { ledger, node, nodeAgent, type NodeTraits, op, pod, secondsAgo } from '../../builders.js';

const leading = new Set<AbortController>();
afterEach(() => {
  for (const each of leading) each.abort();
  leading.clear();
});

/** Starts the controller. The returned function advances the clock until it has nothing left to do. */
async function running(kube: FakeKube, events: Event[] = []) {
  const { caches } = cachesFollowing(kube);
  const clock = fakeClock();
  const abort = new AbortController();
  leading.add(abort);
  const recorder = { record: (event: Event) => void events.push(event) };
  void nodeAgentController({ kube, caches, recorder, log: silentLog, clock }, abort.signal);
  const settle = () => clock.advance(5_000);
  await settle();
  return settle;
}

const clusterOf = (nodes: Record<string, NodeTraits>): FakeKube => {
  const kube = new FakeKube();
  for (const [name, traits] of Object.entries(nodes)) kube.seed(NODES, node(name, traits));
  return kube;
};
const agents = (kube: FakeKube) => kube.all<NodeAgent>(NODE_AGENT);

describe('NodeAgents', () => {
  test('are created for every Linux node, each owned by its node', async () => {
    const kube = clusterOf({ a: {}, b: {}, w: { labels: { 'kubernetes.io/os': 'windows' } } });
    await running(kube);
    expect(agents(kube).map(({ metadata: { name, ownerReferences } }) => [name, ownerReferences?.[0]?.uid])).toEqual([
      ['a', 'uid-a'],
      ['b', 'uid-b'],
    ]);
  });

  test('are created when a node joins', async () => {
    const kube = clusterOf({ a: {} });
    const settle = await running(kube);
    await kube.create(NODES, { ...node('late'), metadata: { name: 'late', labels: { 'kubernetes.io/os': 'linux' } } });
    await settle();
    expect(agents(kube).map(({ metadata }) => metadata.name)).toEqual(['a', 'late']);
  });

  test('are created when a node gets the label of its operating system after it has joined', async () => {
    const kube = clusterOf({ a: { labels: { 'kubernetes.io/os': '' } } });
    const settle = await running(kube);
    expect(agents(kube)).toEqual([]);
    await kube.patch(NODES, { name: 'a' }, { metadata: { labels: { 'kubernetes.io/os': 'linux' } } });
    await settle();
    expect(agents(kube)).toHaveLength(1);
  });

  test('are created again after a deletion', async () => {
    const kube = clusterOf({ a: {} });
    const settle = await running(kube);
    await kube.delete(NODE_AGENT, { name: 'a' });
    await settle();
    expect(agents(kube)).toHaveLength(1);
  });

  test('have spec.labels true unless the node has the label managed=false', async () => {
    const kube = clusterOf({ a: {}, b: { labels: { 'kairos.io/managed': 'false' } } });
    await running(kube);
    expect(agents(kube).map(({ spec }) => spec.labels)).toEqual([true, false]);
  });

  test('have spec.labels false when the node gets the label managed=false', async () => {
    const kube = clusterOf({ a: {} });
    const settle = await running(kube);
    await kube.patch(NODES, { name: 'a' }, { metadata: { labels: { 'kairos.io/managed': 'false' } } });
    await settle();
    expect(agents(kube)[0]?.spec.labels).toBe(false);
  });

  test('keep their ledger when the node registers again', async () => {
    const kube = clusterOf({ n1: { uid: 'new' } });
    kube.seed(NODE_OP, op());
    kube.seed(NODE_AGENT, nodeAgent({}, ledger()));
    await running(kube);
    const [agent] = agents(kube);
    expect(agent?.metadata.ownerReferences).toMatchObject([{ kind: 'Node', name: 'n1', uid: 'new' }]);
    expect(agent?.spec.operation?.id).toBe('uid-op-1');
  });

  test('are not written when nothing changes', async () => {
    const kube = clusterOf({ a: {} });
    const settle = await running(kube);
    await kube.patch(NODES, { name: 'a' }, { metadata: { labels: { zone: 'x' } } });
    await settle();
    expect(kube.writes.filter(({ plural }) => plural === 'nodeagents')).toHaveLength(1);
  });
});

describe('A node whose NodeOp is deleted', () => {
  const MARK = 'default/op@uid-op';
  const orphaned = (operation = ledger({ cordoned: true })): FakeKube => {
    const kube = clusterOf({ n1: { cordoned: true, mark: MARK } });
    kube.seed(NODE_AGENT, nodeAgent({}, operation));
    return kube;
  };
  const onlyNode = (kube: FakeKube) => kube.all<CachedNode>(NODES)[0];

  test('is uncordoned and released', async () => {
    const kube = orphaned();
    await running(kube);
    expect(agents(kube)[0]?.spec.operation).toBeUndefined();
    expect(onlyNode(kube)?.spec?.unschedulable).toBeUndefined();
    expect(onlyNode(kube)?.metadata.annotations ?? {}).toEqual({});
  });

  test('keeps the cordon of a user', async () => {
    const kube = clusterOf({ n1: { cordoned: true } });
    kube.seed(NODE_AGENT, nodeAgent({}, ledger()));
    await running(kube);
    expect(agents(kube)[0]?.spec.operation).toBeUndefined();
    expect(onlyNode(kube)?.spec?.unschedulable).toBe(true);
  });

  test('is not released before its agent confirms the withdrawal of the reboot', async () => {
    const kube = orphaned(ledger({ cordoned: true, reboot: { jobName: 'job', notAfter: secondsAgo(-900) } }));
    const settle = await running(kube);
    expect(agents(kube)[0]?.spec.operation).toMatchObject({ id: 'uid-op-1', rebootWithdrawn: true });
    expect(agents(kube)[0]?.spec.operation?.reboot).toBeUndefined();
    expect(onlyNode(kube)?.spec?.unschedulable).toBe(true);
    const answer = { status: { operation: { id: 'uid-op-1', reboot: { state: 'Cancelled' } } } };
    await kube.patch(NODE_AGENT, { name: 'n1' }, answer, { subresource: 'status' });
    await settle();
    await settle();
    expect(agents(kube)[0]?.spec.operation).toBeUndefined();
    expect(onlyNode(kube)?.spec?.unschedulable).toBeUndefined();
  });

  test('stays claimed while its NodeOp exists', async () => {
    const kube = orphaned();
    kube.seed(NODE_OP, op());
    await running(kube);
    expect(agents(kube)[0]?.spec.operation?.id).toBe('uid-op-1');
  });

  test('is not released while the Pod of its Job runs', async () => {
    const kube = orphaned();
    kube.seed(PODS, pod('job-x', { labels: { 'operator.kairos.io/nodeop-uid': 'uid-op' } }));
    await running(kube);
    expect(agents(kube)[0]?.spec.operation?.id).toBe('uid-op-1');
  });

  test('is uncordoned even if it was released before', async () => {
    const kube = clusterOf({ n1: { cordoned: true, mark: MARK } });
    kube.seed(NODE_AGENT, nodeAgent());
    await running(kube);
    expect(onlyNode(kube)?.spec?.unschedulable).toBeUndefined();
  });

  test('stays cordoned while the NodeOp that failed on it exists', async () => {
    const kube = clusterOf({ n1: { cordoned: true, mark: MARK } });
    kube.seed(NODE_AGENT, nodeAgent());
    kube.seed(NODE_OP, op({}, { status: { phase: 'Failed' } }));
    const settle = await running(kube);
    expect(onlyNode(kube)?.spec?.unschedulable).toBe(true);
    await kube.delete(NODE_OP, { name: 'op', namespace: 'default' });
    await settle();
    expect(onlyNode(kube)?.spec?.unschedulable).toBeUndefined();
  });
});

describe('an agent that may write to other Nodes', () => {
  const fence = { state: 'NotFenced', reason: 'MayWriteOtherNodes', message: 'may write' };
  const setFence = (kube: FakeKube, name: string, value: object) =>
    kube.patch(NODE_AGENT, { name }, { status: { fence: value } }, { subresource: 'status' });

  test('is reported once, by an Event on its Node', async () => {
    const kube = clusterOf({ a: {}, b: {} });
    const events: Event[] = [];
    const settle = await running(kube, events);
    await setFence(kube, 'a', fence);
    await settle();
    await kube.patch(NODE_AGENT, { name: 'a' }, { status: { agentVersion: '2' } }, { subresource: 'status' });
    await settle();
    expect(events).toMatchObject([
      { about: { kind: 'Node', name: 'a', uid: 'uid-a' }, type: 'Warning', reason: 'AgentNotFenced' },
    ]);
    expect(events[0]?.message).toContain('may write');
  });

  test('is reported by the next leader as well', async () => {
    const kube = clusterOf({ a: {} });
    await running(kube);
    await setFence(kube, 'a', fence);
    const events: Event[] = [];
    await running(kube, events);
    expect(events.map(({ reason }) => reason)).toEqual(['AgentNotFenced']);
  });

  test('is not reported while it is unknown', async () => {
    const kube = clusterOf({ a: {} });
    const events: Event[] = [];
    const settle = await running(kube, events);
    await setFence(kube, 'a', { ...fence, state: 'Unknown' });
    await settle();
    expect(events).toEqual([]);
  });
});
