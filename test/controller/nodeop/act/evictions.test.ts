import { describe, expect, test } from '@jest/globals';
import { Evictions } from '../../../../controller/nodeop/act/evictions.js';
import { KubeError } from '../../../../kube/errors.js';
import type { Event } from '../../../../kube/event-recorder.js';
import { PODS } from '../../../../kube/resources.js';
import { cachesFollowing } from '../../../fakes/caches.js';
import { FakeKube } from '../../../fakes/kube.js';
import { facts, NOW, pod, replicated } from '../../../builders.js';

const web = pod('web', replicated);
const budget = { causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web needs 2 healthy pods' }] };

interface EvictionSetup {
  spec?: object;
  bypassing?: 'nothing' | 'budgets';
  pods?: (typeof web)[];
}

/** Evicts pods; the API server answers the eviction of `web` with `refusal`, if there is one. */
async function evict(refusal?: Error, { spec = {}, bypassing = 'nothing', pods = [web] }: EvictionSetup = {}) {
  const kube = new FakeKube();
  for (const each of pods) kube.seed(PODS, each);
  const { caches } = cachesFollowing(kube);
  kube.onWrite = ({ name }) => {
    if (refusal && name === 'web') throw refusal;
  };
  const events: Event[] = [];
  const evictions = new Evictions(() => NOW);
  const evicting = evictions.evict(
    facts(spec, { pods }),
    { do: 'evict', pods, bypassing },
    { kube, caches, recorder: { record: event => events.push(event) } },
  );
  const thrown: unknown = await evicting.then(
    () => undefined,
    (error: unknown) => error,
  );
  const remembered = evictions.refusals.get('uid-web');
  return {
    kube,
    evictions,
    thrown,
    events: events.map(({ reason, type, message }) => `${type} ${reason} ${message}`),
    message: remembered?.message,
    pauseSeconds: remembered && (remembered.notBefore.getTime() - NOW.getTime()) / 1000,
    podsLeft: kube.all(PODS).length,
    cachedPods: caches.pods.list().map(({ metadata }) => metadata.name),
  };
}

describe('An eviction', () => {
  test('that was accepted is not repeated while the pod is terminating', async () => {
    const result = await evict();
    expect(result).toMatchObject({
      podsLeft: 0,
      pauseSeconds: 5,
      message: 'default/web is terminating',
      events: [],
      thrown: undefined,
    });
  });

  test.each<[string, KubeError, { message: string; pauseSeconds: number }]>([
    [
      'that a budget refuses is repeated after 5 s and reports the budget',
      new KubeError(429, 'Cannot evict pod', 'TooManyRequests', { ...budget, retryAfterSeconds: 10 }),
      { message: 'default/web: The disruption budget web needs 2 healthy pods', pauseSeconds: 5 },
    ],
    [
      'that a busy server refuses is repeated after its Retry-After',
      new KubeError(429, 'too many requests', 'TooManyRequests', { retryAfterSeconds: 17 }),
      { message: 'default/web: too many requests', pauseSeconds: 17 },
    ],
    [
      'with a Retry-After of 0 is repeated after a second',
      new KubeError(429, 'busy', 'TooManyRequests', { retryAfterSeconds: 0 }),
      { message: 'default/web: busy', pauseSeconds: 1 },
    ],
    [
      'without a Retry-After is repeated after 5 s',
      new KubeError(429, 'busy', 'TooManyRequests'),
      { message: 'default/web: busy', pauseSeconds: 5 },
    ],
    [
      'that several budgets concern reports the message of the API server',
      new KubeError(500, 'This pod has more than one PodDisruptionBudget', 'InternalError'),
      { message: 'default/web: This pod has more than one PodDisruptionBudget', pauseSeconds: 5 },
    ],
    [
      'in a terminating namespace waits for the pod',
      new KubeError(403, 'namespace is being terminated', 'Forbidden', {
        causes: [{ reason: 'NamespaceTerminating' }],
      }),
      { message: 'default/web: namespace is being terminated', pauseSeconds: 5 },
    ],
  ])('%s', async (_sentence, error, { message, pauseSeconds }) => {
    const result = await evict(error);
    expect(result).toMatchObject({ podsLeft: 1, message, pauseSeconds, thrown: undefined });
    expect(result.events).toEqual([`Warning DrainBlocked n1: ${message}`]);
  });

  test('of a pod that does not exist removes the pod from the cache', async () => {
    const result = await evict(new KubeError(404, 'not found', 'NotFound'));
    expect(result).toMatchObject({ message: undefined, cachedPods: [], events: [], thrown: undefined });
  });

  test('of a pod that has changed is repeated after 5 s without an Event', async () => {
    const result = await evict(new KubeError(409, 'the uid differs', 'Conflict'));
    const message = 'default/web has changed';
    expect(result).toMatchObject({ message, pauseSeconds: 5, cachedPods: ['web'], events: [], thrown: undefined });
  });

  test.each<[string, Error]>([
    ['an answer that does not concern the pod', new KubeError(401, 'Unauthorized')],
    ['a broken connection', new Error('socket hang up')],
  ])('fails with %s', async (_sentence, error) => {
    expect((await evict(error)).thrown).toBe(error);
  });

  test('that is refused does not prevent other evictions', async () => {
    const refusal = new KubeError(429, 'no', 'TooManyRequests', budget);
    const result = await evict(refusal, { pods: [web, pod('other', replicated)] });
    expect(result.podsLeft).toBe(1);
  });

  test('names the uid of the pod, so that no successor is evicted', async () => {
    const { kube } = await evict();
    expect(kube.writes.map(({ verb, body }) => ({ verb, body }))).toEqual([
      { verb: 'evict', body: { uid: 'uid-web' } },
    ]);
  });

  test.each<[string, number | undefined, object]>([
    ['uses the grace period of the pod when none is set', undefined, { uid: 'uid-web' }],
    ['uses the grace period of the pod when a negative one is set', -1, { uid: 'uid-web' }],
    ['uses the grace period of the drain options', 30, { uid: 'uid-web', gracePeriodSeconds: 30 }],
    ['uses a grace period of 0 when it is set', 0, { uid: 'uid-web', gracePeriodSeconds: 0 }],
  ])('%s', async (_sentence, gracePeriodSeconds, body) => {
    const { kube } = await evict(undefined, {
      spec: { cordon: true, drainOptions: { enabled: true, gracePeriodSeconds } },
    });
    expect(kube.writes[0]?.body).toEqual(body);
  });

  test('that bypasses budgets deletes the pod by its uid', async () => {
    const { kube, podsLeft } = await evict(undefined, { bypassing: 'budgets' });
    expect(kube.writes).toMatchObject([{ verb: 'delete', name: 'web', body: { uid: 'uid-web' } }]);
    expect(podsLeft).toBe(0);
  });

  test('makes later pods of the same controller on that node replacements', async () => {
    const { evictions } = await evict(undefined, { pods: [web, pod('second', replicated)] });
    const sets = [
      ['web', replicated],
      ['second', replicated],
      ['third', replicated],
      ['other', { owner: { kind: 'ReplicaSet', uid: 'another' } }],
      ['bare', {}],
    ] as const;
    expect(sets.filter(([name, traits]) => evictions.isReplacement(pod(name, traits))).map(([name]) => name)).toEqual([
      'third',
    ]);
    evictions.forgetNode('n1');
    expect(evictions.isReplacement(pod('third', replicated))).toBe(false);
  });

  test('is forgotten when its pod is deleted', async () => {
    const { evictions } = await evict();
    evictions.forget('uid-web');
    expect(evictions.refusals.size).toBe(0);
  });
});
