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

const OWNER = { apiVersion: 'operator.kairos.io/v1alpha1', kind: 'NodeOp', uid: 'uid-op' };
const labels = { 'kairos.io/nodeop': 'op', 'kairos.io/node': 'n1' };
const made = (more: object = {}): CachedJob => {
  const seen = job('running');
  return { ...seen, metadata: { ...seen.metadata, labels, ...more } };
};
const owned = made({ ownerReferences: [{ name: 'op', ...OWNER }] });
const reboots = (more: Parameters<typeof pod>[1] = {}): CachedPod => {
  const seen = pod('op-reboot-x7k2p', { labels: { ...labels, 'kairos.io/reboot': 'true' }, ...more });
  return { ...seen, spec: { ...seen.spec, hostPID: true, containers: [{ name: 'reboot' }] } };
};

const former = (jobs: readonly CachedJob[], pods: readonly CachedPod[] = [], ops = [op()]) => {
  const caches = emptyCaches();
  caches.pods.replaceAll(pods, '1');
  caches.nodeOps.replaceAll(ops, '1');
  return new LegacyOperator(caches, jobs, NOW);
};

const begun = { phase: 'Running' as const, nodeStatuses: { n2: { phase: 'Running' as const } } };
const ours = { phase: 'Pending' as const, startedAt: NOW.toISOString() };

describe('an operation is held back', () => {
  test.each([
    ['when another operator says that it runs', former([]), op({}, { status: begun }), true],
    ['when a Job of it is there, though nothing is said', former([owned]), op(), true],
    ['when a Job carries its name', former([made()]), op(), true],
    ['when a reboot Pod of it lives', former([], [reboots({ owner: OWNER })]), op(), true],
    ['not when that has ended', former([], [reboots({ owner: OWNER, phase: 'Succeeded' })]), op(), false],
    ['not when nothing was begun', former([]), op(), false],
    ['not when it is ours', former([owned]), op({}, { status: ours }), false],
    ['not when it is over', former([owned]), op({}, { status: { phase: 'Failed' } }), false],
    ['not when the Job is of its namesake elsewhere', former([made({ namespace: 'other' })]), op(), false],
    [
      'not when the Job is of an earlier one of its name',
      former([owned]),
      op({}, { metadata: { uid: 'uid-new' } }),
      false,
    ],
  ])('%s', (_sentence, left, seen, expected) => expect(left.owns(seen)).toBe(expected));

  test('not any more when its only Job turns out to be gone', () => {
    const left = former([owned]);
    left.forgetJob(owned);
    expect(left.owns(op())).toBe(false);
  });
});

describe('nodes kept from others', () => {
  const heldIn = (left: LegacyOperator) => Object.fromEntries(left.claimedNodes());
  test.each([
    ['where its Jobs are', former([owned]), { n1: 'default/op' }],
    ['where its status says so', former([], [], [op({}, { status: begun })]), { n2: 'default/op' }],
    ['where a reboot Pod waits, whosoever', former([], [reboots({ owner: OWNER })], []), { n1: 'default/op' }],
    ['where one is leaving', former([], [reboots({ terminating: true })], []), { n1: 'default/op' }],
    [
      'nowhere, when one has said its word and its operation is over',
      former([], [reboots({ annotations: { [REBOOT_STATE]: 'completed' } })], []),
      {},
    ],
    ['nowhere, when all is ours', former([], [], [op({}, { status: ours })]), {}],
  ])('%s', (_sentence, left, expected) => expect(heldIn(left)).toEqual(expected));
});

test('a list of Jobs that does not come is asked for again', async () => {
  const [kube, clock, caches, leading] = [new FakeKube(), fakeClock(), emptyCaches(), new AbortController()];
  let asked = 0;
  const list: FakeKube['list'] = async () => {
    asked += 1;
    if (asked < 3) throw new Error('socket hang up');
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
  expect([asked, (await read).claimedNodes().size]).toEqual([3, 0]);
});

test('nothing is read before the Deployment says that nothing of it is left', async () => {
  const [kube, clock, caches, leading] = [new FakeKube(), fakeClock(), emptyCaches(), new AbortController()];
  const ownNamespace = 'operator-system';
  const deps = { kube, recorder: { record: () => undefined }, clock, caches, log: silentLog, ownNamespace };
  const metadata = {
    name: LEGACY_DEPLOYMENT,
    namespace: ownNamespace,
    uid: 'uid-former',
    resourceVersion: '1',
    generation: 2,
  };
  const deployment = { metadata, spec: { replicas: 0 } };
  const says = (status: object) => {
    const told = { ...deployment, status };
    kube.seed(DEPLOYMENTS, told);
  };
  let isRead = false;
  says({ observedGeneration: 1 });
  const read = waitForLegacyOperatorToEnd(deps, leading.signal).then(() => (isRead = true));
  await clock.advance(10_000);
  says({ observedGeneration: 2, replicas: 1 });
  await clock.advance(10_000);
  expect(isRead).toBe(false);
  says({ observedGeneration: 2, replicas: 0 });
  await clock.advance(10_000);
  expect([await read, isRead]).toEqual([true, true]);
});
