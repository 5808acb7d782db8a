import { describe, expect, test } from '@jest/globals';
import type { Operation } from '../../../../api/node-agent.js';
import { observe, gatherSharedFacts } from '../../../../controller/nodeop/facts/observe.js';
import {
  ledger,
  node,
  nodeAgent,
  NOW,
  pod,
  type PodTraits,
  ran,
  reached,
  secondsAgo,
  nodeOp,
} from '../../../builders.js';
import { emptyCaches } from '../../../fakes/caches.js';

const SHARED = { refusedWrites: new Map(), defaultImage: 'tool', ownNamespace: 'operator-system', now: NOW };
const NO_EVICTIONS = { refusals: new Map(), isReplacement: () => false };

/** What control plane `mine` observes of control plane `other`, which another operation may have claimed. */
function activeOther(claim: Operation | undefined) {
  const caches = emptyCaches();
  for (const name of ['mine', 'other']) caches.nodes.put(node(name, { controlPlane: true }));
  const agent = nodeAgent({}, claim && { ...claim, nodeOp: { namespace: 'infra', name: 'theirs', uid: 'theirs' } });
  caches.nodeAgents.put({ ...agent, metadata: { ...agent.metadata, name: 'other' } });
  const shared = gatherSharedFacts({ caches, evictions: NO_EVICTIONS, ...SHARED });
  return observe(nodeOp({ cordon: true }), 'mine', shared).otherControlPlanes.active;
}

const active = { node: 'other', operation: 'infra/theirs' };
const rebooting = ran('Reboot', { stepTimes: { Run: secondsAgo(9), Reboot: secondsAgo(1) } });

describe('Another control plane', () => {
  test.each<[string, Operation | undefined, typeof active | undefined]>([
    ['is not active when it is not claimed', undefined, undefined],
    ['is not active while it waits for its turn', reached('ControlPlane'), undefined],
    ['is active from its turn on', reached('ControlPlane', { controlPlane: true }), active],
    ['is active when it became a control plane after it was cordoned', reached('Cordon'), active],
    ['is active when it became a control plane before its reboot', rebooting, active],
    ['is not active when an earlier attempt left it cordoned', ledger({ cordoned: true }), undefined],
    ['is not active while it runs a command that disrupts nothing', ran('Run'), undefined],
  ])('%s', (_sentence, claim, expected) => expect(activeOther(claim)).toEqual(expected));
});

/** What control plane `mine` observes of the others when this pod is on node `on`. */
function observedPods(on: string, traits: PodTraits) {
  const caches = emptyCaches();
  for (const name of ['mine', 'other']) caches.nodes.put(node(name, { controlPlane: true }));
  caches.nodes.put(node('worker'));
  caches.pods.put({ ...pod('etcd', { namespace: 'kube-system', ...traits }), spec: { nodeName: on } });
  const shared = gatherSharedFacts({ caches, evictions: NO_EVICTIONS, ...SHARED });
  return observe(nodeOp({ cordon: true }), 'mine', shared).otherControlPlanes.unreadyStaticPod;
}

describe('A static pod that is not Ready', () => {
  const mirror = { annotations: { 'kubernetes.io/config.mirror': 'hash' }, ready: false };
  const unready = { node: 'other', pod: 'kube-system/etcd' };
  test.each<[string, string, PodTraits, typeof unready | undefined]>([
    ['is seen on another control plane', 'other', mirror, unready],
    ['is seen when it has failed', 'other', { ...mirror, phase: 'Failed' }, unready],
    ['is not seen on the node itself', 'mine', mirror, undefined],
    ['is not seen on a worker', 'worker', mirror, undefined],
    ['is not seen when it has succeeded', 'other', { ...mirror, phase: 'Succeeded' }, undefined],
    ['is not seen when it is Ready', 'other', { ...mirror, ready: true }, undefined],
    ['is not seen when it is no static pod', 'other', { ready: false }, undefined],
  ])('%s', (_sentence, on, traits, expected) => expect(observedPods(on, traits)).toEqual(expected));
});

/** Whether DaemonSet `ds`, with this selector, is among those that want the node. */
function isWanted(nodeSelector: Record<string, string> | undefined): boolean {
  const caches = emptyCaches();
  caches.nodes.put(node('n1', { labels: { driver: 'new' } }));
  caches.nodeAgents.put(nodeAgent({}, ran('Verify', { daemonSets: ['ds'] })));
  if (nodeSelector)
    caches.daemonSets.put({
      metadata: { name: 'ds', namespace: 'default', uid: 'ds', resourceVersion: '1' },
      spec: { template: { spec: { nodeSelector } } },
    });
  const shared = gatherSharedFacts({ caches, evictions: NO_EVICTIONS, ...SHARED });
  return observe(nodeOp({ rebootOnSuccess: true }), 'n1', shared).daemonSets.has('ds');
}

describe('A DaemonSet whose pod was Ready before', () => {
  test.each<[string, Record<string, string> | undefined, boolean]>([
    ['counts while it selects the node', { driver: 'new' }, true],
    ['does not count when it selects the node no longer', { driver: 'old' }, false],
    ['does not count when it was deleted', undefined, false],
  ])('%s', (_sentence, selector, expected) => expect(isWanted(selector)).toBe(expected));
});

test('A pod is not of a DaemonSet of another namespace, although it names its uid as owner', () => {
  const caches = emptyCaches();
  caches.nodes.put(node('n1'));
  caches.nodeAgents.put(nodeAgent({}, ran('Verify', { daemonSets: ['ds'] })));
  caches.daemonSets.put({ metadata: { name: 'ds', namespace: 'system', uid: 'ds', resourceVersion: '1' } });
  const owner = { kind: 'DaemonSet', uid: 'ds' };
  for (const namespace of ['system', 'tenant']) caches.pods.put(pod(`of-${namespace}`, { namespace, owner }));
  const shared = gatherSharedFacts({ caches, evictions: NO_EVICTIONS, ...SHARED });
  const { pods } = observe(nodeOp({ rebootOnSuccess: true }), 'n1', shared);
  const owned = pods.filter(({ metadata }) => (metadata.ownerReferences?.length ?? 0) > 0);
  expect(owned.map(({ metadata }) => metadata.name)).toEqual(['of-system']);
});

describe('A node to be drained', () => {
  const hasDestination = (other: ReturnType<typeof node>) => {
    const caches = emptyCaches();
    for (const each of [node('n1'), other]) caches.nodes.put(each);
    caches.nodeAgents.put(nodeAgent({}, ledger()));
    const shared = gatherSharedFacts({ caches, evictions: NO_EVICTIONS, ...SHARED });
    return observe(nodeOp({ cordon: true }), 'n1', shared).hasOtherSchedulableNode;
  };
  test.each<[string, ReturnType<typeof node>, boolean]>([
    ['has a destination for its pods in another node', node('n2'), true],
    ['has none in a cordoned node', node('n2', { cordoned: true }), false],
    ['has none in a node that is not Ready', node('n2', { ready: false }), false],
    ['has none in a virtual node', node('n2', { labels: { type: 'virtual-kubelet' } }), false],
    ['has none in a node with Windows', node('n2', { labels: { 'kubernetes.io/os': 'windows' } }), false],
  ])('%s', (_sentence, other, expected) => expect(hasDestination(other)).toBe(expected));
});
