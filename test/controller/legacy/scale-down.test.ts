import { describe, expect, test } from '@jest/globals';
import { runningLegacyPods, keepScaledDown, scaleDown } from '../../../controller/legacy/scale-down.js';
import { KubeError } from '../../../kube/errors.js';
import { whileLeader } from '../../../kube/leader.js';
import type { Event } from '../../../kube/recorder.js';
import { DEPLOYMENTS, LEASES } from '../../../kube/resources.js';
import { silentLog } from '../../../program/log.js';
import { NOW, pod } from '../../builders.js';
import { fakeClock } from '../../fakes/clock.js';
import { FakeKube } from '../../fakes/kube.js';

const NAME = 'operator-kairos-operator';
const installed = (namespace = 'operator-system', replicas?: number) => ({
  metadata: { name: NAME, namespace, uid: `uid-${namespace}`, resourceVersion: '1' },
  spec: replicas === undefined ? {} : { replicas },
});

function around(ownNamespace = 'operator-system') {
  const [kube, clock] = [new FakeKube(), fakeClock()];
  const told: Event[] = [];
  const deps = {
    kube,
    clock,
    log: silentLog,
    ownNamespace,
    recorder: { record: (event: Event) => void told.push(event) },
  };
  const replicas = () => kube.all<ReturnType<typeof installed>>(DEPLOYMENTS).map(({ spec }) => spec.replicas);
  return { kube, clock, told, deps, replicas };
}

describe('the Deployment of the other operator', () => {
  test.each([
    ['one replica', 1],
    ['as many as is usual', undefined],
  ])('is scaled to 0, and that is told on it: %s', async (_words, count) => {
    const { kube, deps, told, replicas } = around();
    kube.seed(DEPLOYMENTS, installed('operator-system', count));
    await scaleDown(deps);
    expect(replicas()).toEqual([0]);
    expect(told).toMatchObject([{ reason: 'ScaledDown', about: { kind: 'Deployment', name: NAME } }]);
  });

  test('is found in the namespace of its manifests, and beside us', async () => {
    const { kube, deps, replicas } = around('elsewhere');
    kube.seed(DEPLOYMENTS, installed('operator-system'));
    kube.seed(DEPLOYMENTS, installed('elsewhere'));
    kube.seed(DEPLOYMENTS, installed('of-somebody'));
    await scaleDown(deps);
    expect(replicas()).toEqual([0, 0, undefined]);
  });

  test('is left alone when it is at 0, and nothing is told', async () => {
    const { kube, deps, told } = around();
    kube.seed(DEPLOYMENTS, installed('operator-system', 0));
    await scaleDown(deps);
    expect([kube.writes, told]).toEqual([[], []]);
  });

  test('is scaled down again when somebody brings it back, and no refusal ends that', async () => {
    const { kube, clock, deps, replicas } = around();
    const stop = new AbortController();
    const kept = keepScaledDown(deps, stop.signal);
    await clock.advance(1_000);
    kube.onWrite = () => {
      throw new KubeError(403, 'not yet', 'Forbidden');
    };
    kube.seed(DEPLOYMENTS, installed());
    await clock.advance(700_000);
    expect(replicas()).toEqual([undefined]);
    kube.onWrite = () => undefined;
    await clock.advance(60_000);
    expect(replicas()).toEqual([0]);
    stop.abort();
    await kept;
  });
});

test('the lease is ours only when the other operator, scaled down, has let it run out', async () => {
  const { kube, clock, deps, replicas } = around();
  kube.seed(DEPLOYMENTS, installed());
  const lease = { namespace: 'operator-system', name: 'ce9721c3.kairos.io' };
  const spec = { holderIdentity: `${NAME}-5d4f-abcde_1`, leaseDurationSeconds: 15 };
  const renewed = { metadata: { ...lease, uid: 'lease', resourceVersion: '1' }, spec };
  kube.seed(LEASES, renewed);
  const stop = new AbortController();
  let leads = false;
  const led = whileLeader(kube, { ...lease, identity: 'ours' }, { ...deps, signal: stop.signal }, async leading => {
    leads = true;
    await clock.sleep(1_000_000, leading);
  });
  for (let second = 0; second < 60; second += 2) {
    kube.seed(LEASES, renewed);
    await clock.advance(2_000);
  }
  expect(leads).toBe(false);
  const kept = keepScaledDown(deps, stop.signal);
  await clock.advance(10_000);
  expect([replicas(), leads]).toEqual([[0], false]);
  await clock.advance(15_000);
  expect(leads).toBe(true);
  stop.abort();
  await Promise.all([led, kept]);
});

describe('Pods of the other operator', () => {
  const at = (name: string, traits: Parameters<typeof pod>[1] = {}) =>
    pod(name, { namespace: 'operator-system', ...traits });
  test.each([
    ['one that runs', at(`${NAME}-5d4f-abcde`), true],
    ['one that is told to end', at(`${NAME}-5d4f-abcde`, { terminating: 10 }), true],
    ['one on a node that is gone: it has lost its lease by now', at(`${NAME}-5d4f-abcde`, { terminating: 90 }), false],
    ['one that has ended', at(`${NAME}-5d4f-abcde`, { phase: 'Failed' }), false],
    ['one of ours', at('operator-controller-5d4f-abcde'), false],
    ['one of that name elsewhere', pod(`${NAME}-5d4f-abcde`), false],
  ])('%s', (_sentence, seen, counts) =>
    expect(runningLegacyPods([seen], 'operator-system', NOW)).toEqual(counts ? [seen] : []),
  );
});
