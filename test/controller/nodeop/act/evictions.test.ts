import { describe, expect, test } from '@jest/globals';
import { Evictions } from '../../../../controller/nodeop/act/evictions.js';
import { KubeError } from '../../../../kube/errors.js';
import type { Event } from '../../../../kube/event-recorder.js';
import { PODS } from '../../../../kube/resources.js';
import { cachesFollowing } from '../../../fakes/caches.js';
import { FakeKube, pathOf } from '../../../fakes/kube.js';
import { facts, NOW, pod, type PodTraits, replicated } from '../../../builders.js';

const web = pod('web', replicated);
const passive = { kind: 'Database', uid: 'database', controller: false };
const budget = { causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web needs 2 healthy pods' }] };

interface EvictionSetup {
  spec?: object;
  bypassing?: 'nothing' | 'budgets';
  pods?: (typeof web)[];
  /** The pods are deleted, and no watch has reported it. */
  gone?: boolean;
}

/** Evicts pods; the API server answers the eviction of `web` with `refusal`, if there is one. */
async function evict(refusal?: Error, { spec = {}, bypassing = 'nothing', pods = [web], gone }: EvictionSetup = {}) {
  const kube = new FakeKube();
  for (const each of pods) kube.seed(PODS, each);
  const { caches } = cachesFollowing(kube);
  kube.onWrite = ({ name }) => {
    if (refusal && name === 'web') throw refusal;
  };
  if (gone) kube.store.objectsOf(pathOf(PODS)).clear();
  const events: Event[] = [];
  const evictions = new Evictions({ now: () => NOW, monotonic: () => 0 });
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
    topics: events.map(({ topic }) => topic),
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

  test.each([400, 401, 403, 404, 409, 418, 422, 429, 500, 503])(
    'that an admission webhook denies with status code %i is repeated after 5 s and reports its words',
    async code => {
      const message = 'admission webhook "guard.example.com" denied the request: database is being repaired';
      const result = await evict(new KubeError(code, message));
      expect(result).toMatchObject({ podsLeft: 1, message: `default/web: ${message}`, pauseSeconds: 5 });
      expect(result).toMatchObject({ thrown: undefined, cachedPods: ['web'] });
      expect(result.events).toEqual([`Warning DrainBlocked n1: default/web: ${message}`]);
    },
  );

  test('with a very long Retry-After is repeated after a minute', async () => {
    const busy = new KubeError(429, 'busy', 'TooManyRequests', { retryAfterSeconds: 86_400 });
    expect(await evict(busy)).toMatchObject({ pauseSeconds: 60 });
  });

  test('that gets no answer is not repeated at once', async () => {
    expect(await evict(new Error('no response within 30000 ms'))).toMatchObject({ pauseSeconds: 5 });
  });

  test('of a pod that does not exist removes the pod from the cache', async () => {
    const result = await evict(new KubeError(404, 'not found', 'NotFound'), { gone: true });
    expect(result).toMatchObject({ message: undefined, cachedPods: [], events: [], thrown: undefined });
  });

  test('that conflicts is repeated after 5 s with the words of the answer, without an Event', async () => {
    const result = await evict(new KubeError(409, 'the uid differs', 'Conflict'));
    const message = 'default/web: the uid differs';
    expect(result).toMatchObject({ message, pauseSeconds: 5, cachedPods: ['web'], events: [], thrown: undefined });
  });

  test.each<[string, Error]>([
    ['an answer that does not concern the pod', new KubeError(401, 'Unauthorized', 'Unauthorized')],
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

  test('that is refused is one series of Events for each pod, whatever the words', async () => {
    expect((await evict(new KubeError(429, 'retry in 17 s', 'TooManyRequests'))).topics).toEqual(['uid-web']);
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

  test.each<[string, PodTraits, PodTraits]>([
    ['a pod without an owner', {}, {}],
    ['an owner that is not its controller', { owner: passive }, { owner: passive }],
  ])('of %s makes its successor a replacement', async (_sentence, traits, successorTraits) => {
    const { evictions } = await evict(undefined, { pods: [pod('web', traits)] });
    const successor = pod('web', successorTraits);
    successor.metadata.uid = 'uid-successor';
    expect(evictions.isReplacement(successor)).toBe(true);
    expect(evictions.isReplacement(pod('web', traits))).toBe(false);
    expect(evictions.isReplacement(pod('other'))).toBe(false);
  });

  test('is forgotten when its pod is deleted', async () => {
    const { evictions } = await evict();
    evictions.forget('uid-web');
    expect(evictions.refusals.size).toBe(0);
  });

  describe('of many pods', () => {
    /** The API server answers only when a test lets it. */
    function slowApiServer() {
      const answers: { name: string; answer: (error?: Error) => void }[] = [];
      const kube = new FakeKube();
      kube.evict = ({ name }) =>
        new Promise((resolve, reject) =>
          answers.push({ name, answer: error => (error === undefined ? resolve() : reject(error)) }),
        );
      const { caches } = cachesFollowing(kube);
      const time = { ms: 0 };
      const evictions = new Evictions({ now: () => new Date(NOW.getTime() + time.ms), monotonic: () => time.ms });
      const start = (prefix: string, count: number) => {
        const pods = Array.from({ length: count }, (_, index) => pod(`${prefix}${index}`, replicated));
        return evictions.evict(
          facts({}, { pods }),
          { do: 'evict', pods, bypassing: 'nothing' },
          { kube, caches, recorder: { record: () => undefined } },
        );
      };
      const turn = () => new Promise(resolve => setImmediate(resolve));
      const answerAll = async (error?: Error) => {
        const names = answers.map(({ name }) => name);
        for (const { answer } of answers.splice(0)) answer(error);
        await turn();
        return names;
      };
      return { start, answers, answerAll, turn, time };
    }

    test('sends eight at a time, over all nodes', async () => {
      const { start, answers, answerAll, turn } = slowApiServer();
      const pending = [start('a', 300), start('b', 100)];
      await turn();
      let sent = 0;
      while (answers.length > 0) {
        expect(answers.length).toBeLessThanOrEqual(8);
        sent += (await answerAll()).length;
      }
      await Promise.all(pending);
      expect(sent).toBe(400);
    });

    test('sends none after 5 s, so that the pass can end', async () => {
      const { start, answerAll, turn, time } = slowApiServer();
      const pending = start('a', 400);
      await turn();
      time.ms = 10_000;
      expect(await answerAll(new KubeError(500, 'failed calling webhook: deadline exceeded'))).toHaveLength(8);
      await pending;
      expect(await answerAll()).toEqual([]);
    });

    test('that are refused slowly lets those that were not asked about go first', async () => {
      const { start, answerAll, turn, time } = slowApiServer();
      const refusal = new KubeError(500, 'failed calling webhook: deadline exceeded');
      const first = start('refused', 16);
      await turn();
      await answerAll(refusal);
      await answerAll(refusal);
      await first;
      time.ms = 20_000;
      const again = [start('refused', 16), start('other', 4)];
      await turn();
      await answerAll(refusal);
      expect(await answerAll(refusal)).toEqual(expect.arrayContaining(['other0', 'other1', 'other2', 'other3']));
      while ((await answerAll(refusal)).length > 0);
      await Promise.all(again);
    });
  });
});
