import { describe, expect, test } from '@jest/globals';
import { runningLegacyPods, keepScaledDown, scaleDown } from '../../../controller/legacy/scale-down.js';
import { KubeError } from '../../../kube/errors.js';
import { whileLeader } from '../../../kube/leader.js';
import type { Event } from '../../../kube/event-recorder.js';
import { DEPLOYMENTS, LEASES } from '../../../kube/resources.js';
import { silentLog } from '../../../program/log.js';
import { NOW, pod } from '../../builders.js';
import { fakeClock } from '../../fakes/clock.js';
import { FakeKube } from '../../fakes/kube.js';

const NAME = 'operator-kairos-operator';
const deployment = (namespace = 'operator-system', replicas?: number) => ({
  metadata: { name: NAME, namespace, uid: `uid-${namespace}`, resourceVersion: '1' },
  spec: replicas === undefined ? {} : { replicas },
});

function setup(ownNamespace = 'operator-system') {
  const [kube, clock] = [new FakeKube(), fakeClock()];
  const events: Event[] = [];
  const deps = {
    kube,
    clock,
    log: silentLog,
    ownNamespace,
    recorder: { record: (event: Event) => void events.push(event) },
  };
  const replicas = () => kube.all<ReturnType<typeof deployment>>(DEPLOYMENTS).map(({ spec }) => spec.replicas);
  return { kube, clock, events, deps, replicas };
}

describe('the Deployment of the legacy operator', () => {
  test.each([
    ['one replica', 1],
    ['no replica count', undefined],
  ])('is scaled to 0 with an Event if it has %s', async (_sentence, count) => {
    const { kube, deps, events, replicas } = setup();
    kube.seed(DEPLOYMENTS, deployment('operator-system', count));
    await scaleDown(deps);
    expect(replicas()).toEqual([0]);
    expect(events).toMatchObject([{ reason: 'ScaledDown', about: { kind: 'Deployment', name: NAME } }]);
  });

  test('is scaled down in the namespace of its manifests and in the own namespace', async () => {
    const { kube, deps, replicas } = setup('custom');
    kube.seed(DEPLOYMENTS, deployment('operator-system'));
    kube.seed(DEPLOYMENTS, deployment('custom'));
    kube.seed(DEPLOYMENTS, deployment('unrelated'));
    await scaleDown(deps);
    expect(replicas()).toEqual([0, 0, undefined]);
  });

  test('is not touched, and no Event recorded, if it has 0 replicas', async () => {
    const { kube, deps, events } = setup();
    kube.seed(DEPLOYMENTS, deployment('operator-system', 0));
    await scaleDown(deps);
    expect([kube.writes, events]).toEqual([[], []]);
  });

  test('is scaled down again after it was scaled up, even after refused attempts', async () => {
    const { kube, clock, deps, replicas } = setup();
    const stop = new AbortController();
    const keeping = keepScaledDown(deps, stop.signal);
    await clock.advance(1_000);
    kube.onWrite = () => {
      throw new KubeError(403, 'forbidden', 'Forbidden');
    };
    kube.seed(DEPLOYMENTS, deployment());
    await clock.advance(700_000);
    expect(replicas()).toEqual([undefined]);
    kube.onWrite = () => undefined;
    await clock.advance(60_000);
    expect(replicas()).toEqual([0]);
    stop.abort();
    await keeping;
  });
});

test('the lease is acquired only after the legacy operator is scaled down and its lease has expired', async () => {
  const { kube, clock, deps, replicas } = setup();
  kube.seed(DEPLOYMENTS, deployment());
  const lease = { namespace: 'operator-system', name: 'ce9721c3.kairos.io' };
  const spec = { holderIdentity: `${NAME}-5d4f-abcde_1`, leaseDurationSeconds: 15 };
  const renewed = { metadata: { ...lease, uid: 'lease', resourceVersion: '1' }, spec };
  kube.seed(LEASES, renewed);
  const stop = new AbortController();
  let isLeading = false;
  const leadership = whileLeader(
    kube,
    { ...lease, identity: 'own' },
    { ...deps, signal: stop.signal },
    async leading => {
      isLeading = true;
      await clock.sleep(1_000_000, leading);
    },
  );
  for (let second = 0; second < 60; second += 2) {
    kube.seed(LEASES, renewed);
    await clock.advance(2_000);
  }
  expect(isLeading).toBe(false);
  const keeping = keepScaledDown(deps, stop.signal);
  await clock.advance(10_000);
  expect([replicas(), isLeading]).toEqual([[0], false]);
  await clock.advance(15_000);
  expect(isLeading).toBe(true);
  stop.abort();
  await Promise.all([leadership, keeping]);
});

describe('runningLegacyPods', () => {
  const at = (name: string, traits: Parameters<typeof pod>[1] = {}) =>
    pod(name, { namespace: 'operator-system', ...traits });
  test.each([
    ['includes a running Pod', at(`${NAME}-5d4f-abcde`), true],
    ['includes a Pod that is terminating', at(`${NAME}-5d4f-abcde`, { terminating: 10 }), true],
    [
      'excludes a Pod that has been terminating on a lost node for longer than its lease lasts',
      at(`${NAME}-5d4f-abcde`, { terminating: 90 }),
      false,
    ],
    ['excludes a Pod that has ended', at(`${NAME}-5d4f-abcde`, { phase: 'Failed' }), false],
    ['excludes a Pod of this operator', at('operator-controller-5d4f-abcde'), false],
    ['excludes a Pod of that name in another namespace', pod(`${NAME}-5d4f-abcde`), false],
  ])('%s', (_sentence, seen, counts) =>
    expect(runningLegacyPods([seen], 'operator-system', NOW)).toEqual(counts ? [seen] : []),
  );
});
