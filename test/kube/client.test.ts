import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createKube, type KubeClient, type RequestRecord } from '../../kube/client.js';
import {
  isAlreadyExists,
  isConflict,
  isForbidden,
  isNotFound,
  isTooManyRequests,
  KubeError,
} from '../../kube/errors.js';
import { LEASES, NODES, PODS } from '../../kube/resources.js';
import { HttpsApiServer } from '../fakes/https-api-server.js';
import { THINGS, type Thing, until } from './samples.js';

let server: HttpsApiServer;
let kube: KubeClient;
const requests: RequestRecord[] = [];
const at = (name: string) => ({ namespace: 'default', name });
const caught = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: unknown) => error,
  );

beforeEach(async () => {
  requests.length = 0;
  server = await HttpsApiServer.start();
  kube = createKube(server.connection(), {
    userAgent: 'kairos-operator/test',
    callTimeoutMs: 2_000,
    watchMarginMs: 200,
    onRequest: record => requests.push(record),
  });
});
afterEach(async () => {
  kube.close();
  await server.stop();
});

const make = (name: string, spec: Thing['spec'] = { size: 1 }) =>
  kube.create<Thing>(THINGS, { metadata: { name }, spec }, 'default');

describe('connections', () => {
  test('uses one connection for 200 calls', async () => {
    await make('a');
    for (let call = 0; call < 200; call += 1) await kube.get(THINGS, at('a'));
    expect(server.connections).toBe(1);
  });

  test('opens at most 16 for calls, however many are made at the same time', async () => {
    await make('a');
    await Promise.all(Array.from({ length: 100 }, () => kube.get(THINGS, at('a'))));
    expect(server.connections).toBeLessThanOrEqual(16);
  });

  test('are retried once for a read when the server has closed an idle one', async () => {
    await make('a');
    server.injectFault('reset', 1);
    expect((await kube.get(THINGS, at('a'))).metadata.name).toBe('a');
  });

  test('are not retried a second time for a read', async () => {
    await make('a');
    server.injectFault('reset', 2);
    expect(await caught(kube.get(THINGS, at('a')))).toMatchObject({ code: 'ECONNRESET' });
  });

  test('are not retried for a write, which may have succeeded', async () => {
    await make('a');
    server.injectFault('resetAfterHandling', 1);
    expect(await caught(make('b'))).toMatchObject({ code: 'ECONNRESET' });
    expect(server.requestsTo('POST')).toHaveLength(2);
  });

  test('for watches do not count towards the limit for calls', async () => {
    const stop = new AbortController();
    const options = { resourceVersion: '1', timeoutSeconds: 60 };
    const watches = Array.from({ length: 20 }, () =>
      caught(kube.watch(THINGS, options, stop.signal)[Symbol.asyncIterator]().next()),
    );
    await until(() => server.openWatches === 20);
    await make('late');
    stop.abort();
    await Promise.all(watches);
    expect(server.requestsTo('POST')).toHaveLength(1);
  });
});

describe('requests', () => {
  test('carry the token, the user agent and the content type', async () => {
    await make('a');
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'user-agent': 'kairos-operator/test',
      'content-type': 'application/json',
    });
  });

  test('create, read, replace, patch and delete objects', async () => {
    const created = await make('a', { size: 1, colour: 'red' });
    const patched = await kube.patch<Thing>(THINGS, at('a'), { spec: { size: 2, colour: null } });
    expect(patched.spec).toEqual({ size: 2 });
    await kube.patch(THINGS, at('a'), { status: { phase: 'Up' } }, { subresource: 'status' });
    const now = await kube.get<Thing>(THINGS, at('a'));
    expect(now.status).toEqual({ phase: 'Up' });
    await kube.replace<Thing>(THINGS, at('a'), { ...now, spec: { size: 3 } });
    await kube.delete(THINGS, at('a'), { uid: created.metadata.uid, propagation: 'Background' });
    expect(isNotFound(await caught(kube.get(THINGS, at('a'))))).toBe(true);
    expect(server.requestsTo('DELETE')[0]?.body).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid: created.metadata.uid },
      propagationPolicy: 'Background',
    });
  });

  test.each([
    ['merge', 'application/merge-patch+json'],
    ['json', 'application/json-patch+json'],
    ['strategic', 'application/strategic-merge-patch+json'],
    ['apply', 'application/apply-patch+yaml'],
  ] as const)('send a patch of type %s with its content type', async (type, contentType) => {
    await make('a');
    const body = type === 'json' ? [{ op: 'add', path: '/spec/size', value: 5 }] : { spec: { size: 5 } };
    const patched = await kube.patch<Thing>(THINGS, at('a'), body, { type, fieldManager: 'me', force: true });
    expect(patched.spec?.size).toBe(5);
    const seen = server.requestsTo('PATCH')[0];
    expect(seen?.headers['content-type']).toBe(contentType);
    expect(Object.fromEntries(seen?.query ?? [])).toEqual({ fieldManager: 'me', force: 'true' });
  });

  test('fetch lists page by page, and items get apiVersion and kind', async () => {
    for (const name of ['a', 'b', 'c']) await make(name);
    const first = await kube.list<Thing>(THINGS, { namespace: 'default', limit: 2 });
    const second = await kube.list<Thing>(THINGS, { namespace: 'default', limit: 2, continue: first.continue });
    expect([...first.items, ...second.items].map(item => item.metadata.name)).toEqual(['a', 'b', 'c']);
    expect(second.continue).toBeUndefined();
    expect(first.items[0]).toMatchObject({ apiVersion: 'example.org/v1', kind: 'Thing' });
  });

  test('evict with the uid as precondition, so that another pod of that name is not evicted', async () => {
    const pod = await kube.create(PODS, { metadata: { name: 'p' } }, 'default');
    expect(isConflict(await caught(kube.evict(at('p'), { uid: 'older' })))).toBe(true);
    await kube.evict(at('p'), { uid: pod.metadata.uid, gracePeriodSeconds: 5 });
    expect(server.requestsTo('POST', '/eviction')[1]).toMatchObject({
      path: '/api/v1/namespaces/default/pods/p/eviction',
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: 'p', namespace: 'default' },
        deleteOptions: { preconditions: { uid: pod.metadata.uid }, gracePeriodSeconds: 5 },
      },
    });
    expect(isNotFound(await caught(kube.get(PODS, at('p'))))).toBe(true);
  });

  test('send a dry run that stores nothing', async () => {
    await kube.dryRun(PODS, { metadata: { generateName: 'p-' } }, 'default');
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/api/v1/namespaces/default/pods' });
    expect(server.requests[0]?.query.toString()).toBe('dryRun=All');
  });

  test('use the paths of the core group and of named groups', async () => {
    await caught(kube.get(NODES, { name: 'n1' }));
    await caught(kube.get(LEASES, { namespace: 'kube-system', name: 'l' }));
    expect(server.requests.map(seen => seen.path)).toEqual([
      '/api/v1/nodes/n1',
      '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/l',
    ]);
  });

  test('are all reported for metrics, with method, resource and code', async () => {
    await make('a');
    await caught(kube.get(THINGS, at('b')));
    expect(requests.map(({ method, resource, code }) => [method, resource, code])).toEqual([
      ['POST', 'things', 201],
      ['GET', 'things', 404],
    ]);
  });
});

describe('error responses', () => {
  test.each([
    ['for a missing object are recognised as not found', () => kube.get(THINGS, at('absent')), isNotFound],
    [
      'for an existing object are recognised as already exists',
      async () => [await make('a'), await make('a')],
      isAlreadyExists,
    ],
    [
      'for a modified object are recognised as a conflict',
      async () =>
        kube.replace<Thing>(THINGS, at('a'), { ...(await make('a')), metadata: { ...(await make('b')).metadata } }),
      isConflict,
    ],
  ])('%s', async (_title, call, expected) => {
    const error = await caught(Promise.resolve(call()));
    expect(expected(error)).toBe(true);
  });

  test('with code 429 carry the retry delay', async () => {
    server.injectFault({ status: 429, retryAfter: 7, reason: 'TooManyRequests' });
    const error = await caught(kube.get(THINGS, at('a')));
    expect(isTooManyRequests(error)).toBe(true);
    expect(error).toMatchObject({ code: 429, retryAfterSeconds: 7, reason: 'TooManyRequests' });
  });

  test('name the request in their message', async () => {
    server.injectFault({ status: 403, reason: 'Forbidden' });
    const error = await caught(kube.get(THINGS, at('a')));
    expect(isForbidden(error)).toBe(true);
    expect(error).toBeInstanceOf(KubeError);
    expect(String(error)).toContain('GET /apis/example.org/v1/namespaces/default/things/a: 403');
  });

  test('end the call after the timeout when none arrives', async () => {
    server.injectFault('noResponse');
    expect(String(await caught(kube.get(THINGS, at('a'))))).toContain('no response within 2000 ms');
  });
});

describe('an abort signal', () => {
  test('aborts pending calls and prevents new ones, while the parent client stays usable', async () => {
    const leading = new AbortController();
    const old = kube.with(leading.signal);
    server.injectFault('noResponse');
    const pending = caught(old.patch(THINGS, at('a'), {}));
    await until(() => server.requestsTo('PATCH').length === 1);
    leading.abort(new Error('no longer leading'));
    expect(String(await pending)).toContain('no longer leading');
    expect(String(await caught(old.patch(THINGS, at('a'), {})))).toContain('no longer leading');
    expect(server.requestsTo('PATCH')).toHaveLength(1);
    expect((await make('a')).metadata.name).toBe('a');
  });

  test('has no listeners left after a hundred calls, and causes no leak warning', async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => void warnings.push(warning.name);
    process.on('warning', note);
    const { signal } = new AbortController();
    const bound = kube.with(signal);
    await Promise.all(Array.from({ length: 100 }, () => bound.list(THINGS)));
    await new Promise(resolve => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('a watch', () => {
  const watch = (from: string, timeoutSeconds = 60, signal = new AbortController().signal) =>
    kube.watch<Thing>(THINGS, { resourceVersion: from, timeoutSeconds }, signal);

  test('yields events and bookmarks until the server ends it', async () => {
    const types: string[] = [];
    const done = (async () => {
      for await (const event of watch(String(server.store.version))) types.push(event.type);
    })();
    await until(() => server.openWatches === 1);
    await make('a');
    await kube.patch(THINGS, at('a'), { spec: { size: 2 } });
    await kube.delete(THINGS, at('a'));
    server.sendBookmarks();
    server.endWatches();
    await done;
    expect(types).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);
    expect(server.requestsTo('GET')[0]?.query.get('allowWatchBookmarks')).toBe('true');
  });

  test('delivers an object larger than any packet as a whole', async () => {
    const from = String(server.store.version);
    await make('big', { colour: 'ü'.repeat(300_000) });
    for await (const event of watch(from)) {
      expect(event.type === 'ADDED' && event.object.spec?.colour?.length).toBe(300_000);
      break;
    }
    await until(() => server.openWatches === 0);
  });

  test('throws when it is rejected, disconnected or idle for too long', async () => {
    const all = async (events: AsyncIterable<unknown>) => {
      for await (const _ of events);
    };
    server.store.compact();
    expect(await caught(all(watch('1')))).toMatchObject({ code: 410 });
    const from = String(server.store.version);
    const broken = caught(all(watch(from)));
    await until(() => server.openWatches === 1);
    server.resetWatches();
    expect(await broken).toMatchObject({ code: 'ECONNRESET' });
    server.suppressesEvents = true;
    expect(String(await caught(all(watch(from, 0.1))))).toContain('no data for');
  });
});
