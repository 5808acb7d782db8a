import { describe, expect, test } from '@jest/globals';
import { waitForLegacyOperatorToEnd, LegacyOperator } from '../../../controller/legacy/legacy-operator.js';
import { LEGACY_DEPLOYMENT, REBOOT_STATE } from '../../../controller/legacy/names.js';
import type { CachedJob } from '../../../controller/cluster/job.js';
import type { CachedPod } from '../../../controller/cluster/pod.js';
import { DEPLOYMENTS } from '../../../kube/resources.js';
import { silentLog } from '../../../program/log.js';
import { job, NOW, op, pod } from '../../builders.js';
import { emptyCaches } from '../../fakes/caches.js';
import { fakeClock } from '../../fakes/clock.js';
import { FakeKube } from '../../fakes/kube.js';

const OWNER = { apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeOp', name: 'op', uid: 'uid-op' };
const labels = { 'kairos.io/nodeop': 'op', 'kairos.io/node': 'n1' };
const jobOfOp = (more: object = {}): CachedJob => {
  const seen = job('running');
  return { ...seen, metadata: { ...seen.metadata, labels, ...more } };
};
const ownedJob = jobOfOp({ ownerReferences: [OWNER] });
const rebootPod = (more: Parameters<typeof pod>[1] = {}): CachedPod => {
  const seen = pod('op-reboot-x7k2p', { labels: { ...labels, 'kairos.io/reboot': 'true' }, ...more });
  return { ...seen, spec: { ...seen.spec, hostPID: true, containers: [{ name: 'reboot' }] } };
};

/** The API server adds the grace period to the time of the request. */
const withGracePeriod = (terminating: CachedPod, seconds: number): CachedPod => {
  const requested = Date.parse(terminating.metadata.deletionTimestamp ?? '');
  const deletionTimestamp = new Date(requested + seconds * 1000).toISOString();
  const { metadata } = terminating;
  return { ...terminating, metadata: { ...metadata, deletionTimestamp, deletionGracePeriodSeconds: seconds } };
};

const legacyOperator = (jobs: readonly CachedJob[], pods: readonly CachedPod[] = [], ops = [op()]) => {
  const caches = emptyCaches();
  caches.pods.replaceAll(pods, '1');
  caches.nodeOps.replaceAll(ops, '1');
  return new LegacyOperator(caches, jobs, NOW);
};

const startedStatus = { phase: 'Running' as const, nodeStatuses: { n2: { phase: 'Running' as const } } };
const rebootingStatus = {
  phase: 'Completed' as const,
  nodeStatuses: { n1: { phase: 'Completed' as const, rebootStatus: 'pending' as const } },
};
const migratedStatus = { phase: 'Pending' as const, startedAt: NOW.toISOString() };

describe('the legacy operator owns a NodeOp', () => {
  test.each([
    ['with phase Running and no startedAt', legacyOperator([]), op({}, { status: startedStatus }), true],
    ['without a status that owns a Job', legacyOperator([ownedJob]), op(), true],
    ['whose name is on the label of a Job', legacyOperator([jobOfOp()]), op(), true],
    ['with a running reboot Pod', legacyOperator([], [rebootPod({ owner: OWNER })]), op(), true],
    [
      'unless its reboot Pod has finished',
      legacyOperator([], [rebootPod({ owner: OWNER, phase: 'Succeeded' })]),
      op(),
      false,
    ],
    ['unless nothing was started', legacyOperator([]), op(), false],
    ['unless it is migrated', legacyOperator([ownedJob]), op({}, { status: migratedStatus }), false],
    ['unless it is finished', legacyOperator([ownedJob]), op({}, { status: { phase: 'Failed' } }), false],
    [
      'unless the Job belongs to a NodeOp of that name in another namespace',
      legacyOperator([jobOfOp({ namespace: 'other' })]),
      op(),
      false,
    ],
    [
      'unless the Job belongs to an earlier NodeOp of that name',
      legacyOperator([ownedJob]),
      op({}, { metadata: { uid: 'uid-new' } }),
      false,
    ],
  ])('%s', (_sentence, left, seen, expected) => expect(left.owns(seen)).toBe(expected));

  test('until its only Job is deleted', () => {
    const left = legacyOperator([ownedJob]);
    left.forgetJob(ownedJob);
    expect(left.owns(op())).toBe(false);
  });
});

describe('the nodes that the legacy operator claims', () => {
  const claimedNodesOf = (left: LegacyOperator) => Object.fromEntries(left.claimedNodes(NOW));
  test.each([
    ['include those of its Jobs', legacyOperator([ownedJob]), { n1: 'default/op' }],
    [
      'include those that its status lists as unfinished',
      legacyOperator([], [], [op({}, { status: startedStatus })]),
      { n2: 'default/op' },
    ],
    [
      'include those of waiting reboot Pods of a NodeOp',
      legacyOperator([], [rebootPod({ owner: OWNER })], [op({ rebootOnSuccess: true }, { status: rebootingStatus })]),
      { n1: 'default/op' },
    ],
    [
      'include those of waiting reboot Pods that only name a NodeOp of their namespace',
      legacyOperator([], [rebootPod()]),
      { n1: 'default/op' },
    ],
    [
      'do not include those of reboot Pods of a NodeOp that the legacy operator finished',
      legacyOperator([], [rebootPod({ owner: OWNER })], [op({}, { status: { phase: 'Completed' } })]),
      {},
    ],
    [
      'do not include those of reboot Pods of a NodeOp that this operator started',
      legacyOperator([], [rebootPod({ owner: OWNER })], [op({}, { status: migratedStatus })]),
      {},
    ],
    [
      'do not include those of reboot Pods that only name a NodeOp that this operator completed',
      legacyOperator([], [rebootPod()], [op({}, { status: { ...migratedStatus, phase: 'Completed' } })]),
      {},
    ],
    ['do not include those of reboot Pods without a NodeOp', legacyOperator([], [rebootPod({ owner: OWNER })], []), {}],
    [
      'do not include those of reboot Pods that name the uid of a NodeOp in another namespace',
      legacyOperator([], [rebootPod({ owner: OWNER, namespace: 'tenant' })]),
      {},
    ],
    [
      'do not include those of reboot Pods with the uid of another NodeOp',
      legacyOperator([], [rebootPod({ owner: { ...OWNER, uid: 'uid-former' } })]),
      {},
    ],
    [
      'include those of terminating reboot Pods',
      legacyOperator([], [rebootPod({ terminating: 599 })]),
      { n1: 'default/op' },
    ],
    [
      'do not include those of reboot Pods that have been terminating for ten minutes',
      legacyOperator([], [rebootPod({ terminating: 600 })]),
      {},
    ],
    [
      'do not include those of reboot Pods whose deletion was requested ten minutes ago with a grace period of a year',
      legacyOperator([], [withGracePeriod(rebootPod({ terminating: 600 }), 365 * 86_400)]),
      {},
    ],
    [
      'do not include those of reboot Pods that have triggered the reboot of a finished operation',
      legacyOperator([], [rebootPod({ annotations: { [REBOOT_STATE]: 'completed' } })], []),
      {},
    ],
    ['do not include those of migrated operations', legacyOperator([], [], [op({}, { status: migratedStatus })]), {}],
  ])('%s', (_sentence, left, expected) => expect(claimedNodesOf(left)).toEqual(expected));
});

describe('a waiting reboot Pod', () => {
  const MINUTE = 60_000;
  const claims = (left: LegacyOperator, minutes: number) =>
    left.claimedNodes(new Date(NOW.getTime() + minutes * MINUTE)).size;

  test('that is not scheduled claims its node for ten minutes', () => {
    const waiting = rebootPod({ owner: OWNER, phase: 'Pending' });
    const left = legacyOperator([], [{ ...waiting, spec: { ...waiting.spec, nodeName: undefined } }]);
    expect([claims(left, 9.9), claims(left, 10)]).toEqual([1, 0]);
  });

  test('on a node claims it as long as it waits', () => {
    const waiting = rebootPod({ owner: OWNER });
    const left = legacyOperator([], [{ ...waiting, spec: { ...waiting.spec, nodeName: 'n1' } }]);
    expect(claims(left, 600)).toBe(1);
  });

  test('claims its node no more when its NodeOp is migrated', () => {
    const caches = emptyCaches();
    caches.pods.replaceAll([rebootPod({ owner: OWNER })], '1');
    caches.nodeOps.replaceAll([op()], '1');
    const left = new LegacyOperator(caches, [], NOW);
    expect(claims(left, 0)).toBe(1);
    caches.nodeOps.put(op({}, { status: migratedStatus, metadata: { resourceVersion: '2' } }));
    expect(claims(left, 0)).toBe(0);
  });
});

describe('a reboot Pod that appears after the legacy operator has stopped', () => {
  const appeared = (pods: readonly CachedPod[]) => {
    const caches = emptyCaches();
    caches.pods.replaceAll(pods, '1');
    caches.nodeOps.replaceAll([op()], '1');
    const left = new LegacyOperator(caches, [], NOW);
    const later = rebootPod({ owner: OWNER, annotations: { later: 'true' } });
    caches.pods.applyEvent('MODIFIED', { ...later, metadata: { ...later.metadata, resourceVersion: '2' } });
    return left;
  };

  test('claims no node', () => expect(appeared([]).claimedNodes(NOW).size).toBe(0));

  test('claims its node if it was only changed since then', () =>
    expect(appeared([rebootPod({ owner: OWNER })]).claimedNodes(NOW).size).toBe(1));
});

test('retries the list of Jobs after an error', async () => {
  const [kube, clock, caches, leading] = [new FakeKube(), fakeClock(), emptyCaches(), new AbortController()];
  let listCalls = 0;
  const list: FakeKube['list'] = async () => {
    listCalls += 1;
    if (listCalls < 3) throw new Error('socket hang up');
    return { items: [], resourceVersion: '1' };
  };
  const deps = {
    kube: Object.assign(kube, { list }),
    recorder: { record: () => undefined },
    clock,
    caches,
    log: silentLog,
    ownNamespace: 'operator-system',
  };
  const read = waitForLegacyOperatorToEnd(deps, leading.signal);
  await clock.advance(10_000);
  expect([listCalls, (await read).claimedNodes(NOW).size]).toEqual([3, 0]);
});

test('lists no Jobs before the Deployment reports zero replicas', async () => {
  const [kube, clock, caches, leading] = [new FakeKube(), fakeClock(), emptyCaches(), new AbortController()];
  const ownNamespace = 'operator-system';
  const deps = { kube, recorder: { record: () => undefined }, clock, caches, log: silentLog, ownNamespace };
  const metadata = {
    name: LEGACY_DEPLOYMENT,
    namespace: ownNamespace,
    uid: 'uid-legacy',
    resourceVersion: '1',
    generation: 2,
  };
  const deployment = { metadata, spec: { replicas: 0 } };
  const setStatus = (status: object) => {
    const updated = { ...deployment, status };
    kube.seed(DEPLOYMENTS, updated);
  };
  let isRead = false;
  setStatus({ observedGeneration: 1 });
  const read = waitForLegacyOperatorToEnd(deps, leading.signal).then(() => (isRead = true));
  await clock.advance(10_000);
  setStatus({ observedGeneration: 2, replicas: 1 });
  await clock.advance(10_000);
  expect(isRead).toBe(false);
  setStatus({ observedGeneration: 2, replicas: 0 });
  await clock.advance(10_000);
  expect([await read, isRead]).toEqual([true, true]);
});
