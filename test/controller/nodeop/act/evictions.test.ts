import { describe, expect, test } from '@jest/globals';
import { Evictions } from '../../../../controller/nodeop/act/evictions.js';
import { KubeError } from '../../../../kube/errors.js';
import type { Event } from '../../../../kube/recorder.js';
import { PODS } from '../../../../kube/resources.js';
import { cachesFollowing } from '../../../fakes/caches.js';
import { FakeKube } from '../../../fakes/kube.js';
import { facts, NOW, pod, replicated } from '../../../builders.js';

const web = pod('web', replicated);
const budget = { causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web needs 2 healthy pods' }] };

interface Asked {
  spec?: object;
  past?: 'nothing' | 'budgets';
  pods?: (typeof web)[];
}

async function evicted(answer?: Error, { spec = {}, past = 'nothing', pods = [web] }: Asked = {}) {
  const kube = new FakeKube();
  for (const each of pods) kube.seed(PODS, each);
  const { caches } = cachesFollowing(kube);
  kube.onWrite = ({ name }) => {
    if (answer && name === 'web') throw answer;
  };
  const told: Event[] = [];
  const evictions = new Evictions(() => NOW);
  const asking = evictions.evict(
    facts(spec, { pods }),
    { do: 'evict', pods, bypassing: past },
    { kube, caches, recorder: { record: event => told.push(event) } },
  );
  const thrown: unknown = await asking.then(
    () => undefined,
    (error: unknown) => error,
  );
  const refusal = evictions.refusals.get('uid-web');
  return {
    kube,
    evictions,
    thrown,
    told: told.map(({ reason, type, message }) => `${type} ${reason} ${message}`),
    message: refusal?.message,
    againIn: refusal && (refusal.notBefore.getTime() - NOW.getTime()) / 1000,
    left: kube.all(PODS).length,
    seen: caches.pods.list().map(({ metadata }) => metadata.name),
  };
}

describe('An eviction', () => {
  test('that is granted is not asked for again while the pod is leaving', async () => {
    const seen = await evicted();
    expect(seen).toMatchObject({
      left: 0,
      againIn: 5,
      message: 'default/web is terminating',
      told: [],
      thrown: undefined,
    });
  });

  test.each<[string, KubeError, { message: string; againIn: number }]>([
    [
      'that a budget refuses is asked for again after 5 s, naming the budget',
      new KubeError(429, 'Cannot evict pod', 'TooManyRequests', { ...budget, retryAfterSeconds: 10 }),
      { message: 'default/web: The disruption budget web needs 2 healthy pods', againIn: 5 },
    ],
    [
      'that a busy server refuses is asked for again when it says',
      new KubeError(429, 'too many requests', 'TooManyRequests', { retryAfterSeconds: 17 }),
      { message: 'default/web: too many requests', againIn: 17 },
    ],
    [
      'of a busy server that wants it at once waits a second',
      new KubeError(429, 'busy', 'TooManyRequests', { retryAfterSeconds: 0 }),
      { message: 'default/web: busy', againIn: 1 },
    ],
    [
      'of a busy server that does not say when waits 5 s',
      new KubeError(429, 'busy', 'TooManyRequests'),
      { message: 'default/web: busy', againIn: 5 },
    ],
    [
      'that several budgets are about is told in the server’s words',
      new KubeError(500, 'This pod has more than one PodDisruptionBudget', 'InternalError'),
      { message: 'default/web: This pod has more than one PodDisruptionBudget', againIn: 5 },
    ],
    [
      'in a namespace that is going waits for the pod',
      new KubeError(403, 'namespace is being terminated', 'Forbidden', {
        causes: [{ reason: 'NamespaceTerminating' }],
      }),
      { message: 'default/web: namespace is being terminated', againIn: 5 },
    ],
  ])('%s', async (_sentence, answer, { message, againIn }) => {
    const seen = await evicted(answer);
    expect(seen).toMatchObject({ left: 1, message, againIn, thrown: undefined });
    expect(seen.told).toEqual([`Warning DrainBlocked n1: ${message}`]);
  });

  test('of a pod that is gone is done, though no watch has told of it', async () => {
    const seen = await evicted(new KubeError(404, 'not found', 'NotFound'));
    expect(seen).toMatchObject({ message: undefined, seen: [], told: [], thrown: undefined });
  });

  test('of a pod that has changed is asked for again a little later, and nobody is alarmed', async () => {
    const seen = await evicted(new KubeError(409, 'the uid differs', 'Conflict'));
    const message = 'default/web has changed';
    expect(seen).toMatchObject({ message, againIn: 5, seen: ['web'], told: [], thrown: undefined });
  });

  test.each<[string, Error]>([
    ['an answer that is none about the pod', new KubeError(401, 'Unauthorized')],
    ['a broken connection', new Error('socket hang up')],
  ])('leaves %s to the loop', async (_sentence, answer) => {
    expect((await evicted(answer)).thrown).toBe(answer);
  });

  test('of one pod that is refused does not keep the others', async () => {
    const refusal = new KubeError(429, 'no', 'TooManyRequests', budget);
    const seen = await evicted(refusal, { pods: [web, pod('other', replicated)] });
    expect(seen.left).toBe(1);
  });

  test('is of that very pod, not of its successor', async () => {
    const { kube } = await evicted();
    expect(kube.writes.map(({ verb, body }) => ({ verb, body }))).toEqual([
      { verb: 'evict', body: { uid: 'uid-web' } },
    ]);
  });

  test.each<[string, number | undefined, object]>([
    ['has the pod’s own grace where none is given', undefined, { uid: 'uid-web' }],
    ['has it where a negative one is given', -1, { uid: 'uid-web' }],
    ['has the grace of the options', 30, { uid: 'uid-web', gracePeriodSeconds: 30 }],
    ['has none where none is wished', 0, { uid: 'uid-web', gracePeriodSeconds: 0 }],
  ])('%s', async (_sentence, gracePeriodSeconds, body) => {
    const { kube } = await evicted(undefined, {
      spec: { cordon: true, drainOptions: { enabled: true, gracePeriodSeconds } },
    });
    expect(kube.writes[0]?.body).toEqual(body);
  });

  test('past the budgets is a deletion of that very pod', async () => {
    const { kube, left } = await evicted(undefined, { past: 'budgets' });
    expect(kube.writes).toMatchObject([{ verb: 'delete', name: 'web', body: { uid: 'uid-web' } }]);
    expect(left).toBe(0);
  });

  test('makes every later pod of the same controller on that node a replacement', async () => {
    const { evictions } = await evicted(undefined, { pods: [web, pod('second', replicated)] });
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

  test('is forgotten with its pod', async () => {
    const { evictions } = await evicted();
    evictions.forget('uid-web');
    expect(evictions.refusals.size).toBe(0);
  });
});
