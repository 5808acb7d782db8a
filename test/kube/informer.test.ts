import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Change } from '../../kube/cache.js';
import { createKube, type KubeClient } from '../../kube/client.js';
import { type Informer, type InformerOptions, informer } from '../../kube/informer.js';
import type { Stored } from '../../kube/kube.js';
import { realClock } from '../../program/clock.js';
import { silentLog } from '../../program/log.js';
import { HttpsApiServer, type RecordedRequest } from '../fakes/https-api-server.js';
import { THINGS, type Thing, until } from './samples.js';

/** Pauses are shortened to a hundredth, so that the tests include backoff without waiting for it. */
const quick = { ...realClock, sleep: (ms: number, signal?: AbortSignal) => realClock.sleep(ms / 100, signal) };

let server: HttpsApiServer;
let kube: KubeClient;
let stop: AbortController;
let running: Promise<void>[];

beforeEach(async () => {
  server = await HttpsApiServer.start();
  kube = createKube(server.connection(), { userAgent: 'test', callTimeoutMs: 500, watchMarginMs: 100 });
  stop = new AbortController();
  running = [];
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running);
  kube.close();
  await server.stop();
});

const make = (name: string, more: object = {}) =>
  kube.create<Thing>(THINGS, { metadata: { name, ...more }, spec: { size: 1 } }, 'default');

function start<T extends Stored = Thing>(options: Partial<InformerOptions<T>> = {}): Informer<T> {
  const made = informer<T>(kube, THINGS, { log: silentLog, clock: quick, ...options });
  running.push(made.run(stop.signal));
  return made;
}

async function watching(options: Partial<InformerOptions<Thing>> = {}): Promise<Informer<Thing>> {
  const made = start(options);
  await made.waitForSync(stop.signal);
  await until(() => server.openWatches === 1);
  return made;
}

const names = ({ cache }: Informer<Thing>) => cache.list().map(one => one.metadata.name);
const lists = () => server.requestsTo('GET').filter(seen => !seen.query.has('watch')).length;
const isWatch = (seen: RecordedRequest) => seen.query.has('watch');

describe('an informer', () => {
  test('lists page by page, then follows changes', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await make(name);
    const things = await watching({ pageSize: 2 });
    expect(names(things)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(lists()).toBe(3);
    await make('f');
    await kube.delete(THINGS, { namespace: 'default', name: 'a' });
    await until(() => names(things).join('') === 'bcdef');
    expect(lists()).toBe(3);
  });

  test('requests only the selected namespace and labels', async () => {
    await make('a', { labels: { app: 'x' } });
    await make('b');
    const things = await watching({ labelSelector: 'app=x', namespace: 'default' });
    await make('c', { labels: { app: 'x' } });
    await until(() => names(things).join('') === 'ac');
    expect(server.requestsTo('GET')[0]?.path).toContain('/namespaces/default/');
  });

  test('applies the transform to lists and to events', async () => {
    await make('a');
    const things = await watching({ transform: ({ metadata }) => ({ metadata }) });
    await make('b');
    await until(() => names(things).length === 2);
    expect(things.cache.list().every(one => one.spec === undefined)).toBe(true);
  });

  test('resumes a watch that ends from the last version, without a new list', async () => {
    const things = await watching();
    await make('a');
    await until(() => names(things).length === 1);
    server.endWatches();
    await until(() => server.requestsTo('GET').filter(isWatch).length === 2);
    const [, second] = server.requestsTo('GET').filter(isWatch);
    expect(second?.query.get('resourceVersion')).toBe(String(server.store.version));
    expect(lists()).toBe(1);
  });

  test('resumes from the last bookmark', async () => {
    await watching();
    await kube.create({ ...THINGS, plural: 'others' }, { metadata: { name: 'x' } }, 'default');
    server.sendBookmarks();
    await new Promise(resolve => setTimeout(resolve, 20));
    server.endWatches();
    await until(() => server.requestsTo('GET').filter(isWatch).length === 2);
    expect(server.requestsTo('GET').at(-1)?.query.get('resourceVersion')).toBe(String(server.store.version));
  });

  test('ends when its signal aborts, even during a call without a response', async () => {
    server.injectFault('noResponse', 1);
    const things = start();
    await until(() => server.requests.length === 1);
    stop.abort();
    await things.waitForSync(stop.signal);
    await Promise.all(running);
    expect(things.cache.hasSynced()).toBe(false);
  });

  test('calls the other handlers when one throws', async () => {
    const things = start();
    const seen: Change<Thing>[] = [];
    things.cache.onChange(() => {
      throw new Error('handler failed');
    });
    things.cache.onChange(change => seen.push(change));
    await make('a');
    await make('b');
    await until(() => seen.length >= 2);
    expect(seen.at(-1)?.new?.metadata.name).toBe('b');
  });
});

describe('a failing API server', () => {
  test.each([
    ['the list is rejected', 503, 3],
    ['the list is temporarily forbidden', 403, 3],
    ['the token is temporarily rejected', 401, 2],
  ])('is retried when %s', async (_title, status, times) => {
    server.injectFault({ status }, times);
    const things = start();
    await things.waitForSync(stop.signal);
    expect(things.cache.hasSynced()).toBe(true);
  });

  test('is retried when it resets the connection during the list', async () => {
    server.injectFault('reset', 4);
    await start().waitForSync(stop.signal);
    expect(lists()).toBeGreaterThanOrEqual(4);
  });

  test.each([
    ['a reset', () => server.resetWatches()],
    [
      'a reset followed by rejections',
      () => {
        server.injectFault({ status: 503 }, 3, isWatch);
        server.resetWatches();
      },
    ],
    [
      'watches that end immediately',
      () => {
        server.injectFault({ status: 200 }, 3, isWatch);
        server.endWatches();
      },
    ],
  ])('is watched again after %s, without missing a change', async (_title, disrupt) => {
    const things = await watching();
    await make('before');
    disrupt();
    await make('meanwhile');
    await until(() => names(things).includes('meanwhile'));
    await make('after');
    await until(() => names(things).length === 3);
    expect(names(things)).toEqual(['before', 'meanwhile', 'after']);
  });

  test('is watched again when no data arrives for longer than the timeout', async () => {
    const things = await watching({ watchSeconds: 1 });
    server.suppressesEvents = true;
    await make('missed');
    await until(() => server.requestsTo('GET').filter(isWatch).length === 2);
    server.suppressesEvents = false;
    await until(() => names(things).includes('missed'));
    expect(lists()).toBe(1);
  });

  test.each([
    ['410 as a response', () => server.endWatches()],
    ['410 as an event', () => server.expireWatches()],
  ])('is listed again after %s, and deleted objects are removed', async (_title, expire) => {
    await make('deleted');
    const things = await watching();
    const changes: Change<Thing>[] = [];
    things.cache.onChange(change => changes.push(change));
    server.suppressesEvents = true;
    await kube.delete(THINGS, { namespace: 'default', name: 'deleted' });
    await make('added');
    server.store.compact();
    server.suppressesEvents = false;
    expire();
    await until(() => names(things).join('') === 'added');
    expect(changes.map(({ old, new: now }) => [old?.metadata.name, now?.metadata.name])).toEqual([
      ['deleted', undefined],
      [undefined, 'added'],
    ]);
    expect(lists()).toBe(2);
  });

  test('is listed again after a version was rejected several times', async () => {
    await watching();
    server.injectFault({ status: 504 }, 5, isWatch);
    server.endWatches();
    await until(() => lists() === 2);
    expect(server.requestsTo('GET').filter(isWatch).length).toBeGreaterThanOrEqual(5);
  });

  test('is not queried in a busy loop while it is down', async () => {
    server.injectFault({ status: 503 }, 1_000);
    start({ clock: realClock, random: () => 1 });
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(server.requests.length).toBe(1);
  });
});
