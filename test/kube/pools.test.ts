import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createKube, type KubeClient } from '../../kube/client.js';
import { whileLeader } from '../../kube/leader.js';
import { LEASES, NODES, PODS } from '../../kube/resources.js';
import { realClock } from '../../program/clock.js';
import { silentLog } from '../../program/log.js';
import { HttpsApiServer, type RecordedRequest } from '../fakes/https-api-server.js';

const isEviction = ({ path }: RecordedRequest) => path.endsWith('/eviction');
const isPodCreation = ({ method, path }: RecordedRequest) => method === 'POST' && path.endsWith('/pods');

let server: HttpsApiServer;
let kube: KubeClient;

/** Starts so many evictions and does not wait for them. */
const evict = (count: number) => {
  const all = Array.from({ length: count }, (_, index) =>
    kube.evict({ namespace: 'default', name: `p${index}` }, { uid: `u${index}` }).catch((error: unknown) => error),
  );
  return Promise.all(all);
};

beforeEach(async () => {
  server = await HttpsApiServer.start();
  kube = createKube(server.connection(), { userAgent: 'test' });
});
afterEach(async () => {
  kube.close();
  await server.stop();
});

describe('While 400 evictions and 64 creations of Pods wait for their answers', () => {
  let pending: Promise<unknown>;
  let answered: number;
  beforeEach(async () => {
    server.injectFault('noResponse', Infinity, request => isEviction(request) || isPodCreation(request));
    const creations = Array.from({ length: 64 }, (_, index) =>
      kube.create(PODS, { metadata: { name: `n${index}` } }, 'default').catch((error: unknown) => error),
    );
    answered = 0;
    const count = () => void (answered += 1);
    pending = Promise.all([evict(400).then(count), ...creations.map(creation => creation.then(count))]);
    await new Promise(resolve => setTimeout(resolve, 100));
  });

  afterEach(async () => {
    kube.close();
    await pending;
  });

  test('a renewal of a Lease is answered', async () => {
    const at = { namespace: 'default', name: 'lease' };
    const lease = await kube.create<{ metadata: { name: string; uid: string; resourceVersion: string } }>(
      LEASES,
      { metadata: at },
      at.namespace,
    );
    await kube.replace(LEASES, at, lease);
    expect(answered).toBe(0);
  });

  test('other calls are answered', async () => {
    await expect(kube.get(NODES, { name: 'n1' })).rejects.toMatchObject({ code: 404 });
    await expect(kube.patch(NODES, { name: 'n1' }, {})).rejects.toMatchObject({ code: 404 });
    expect(answered).toBe(0);
  });

  test('the leader renews its lease', async () => {
    const stop = new AbortController();
    let renewals = 0;
    const fast = { ...realClock, sleep: (ms: number, signal?: AbortSignal) => realClock.sleep(ms / 20, signal) };
    const deps = { log: silentLog, clock: fast, signal: stop.signal };
    const leading = whileLeader(
      kube,
      { namespace: 'n', name: 'l', identity: 'me' },
      deps,
      async signal => void (await new Promise(resolve => signal.addEventListener('abort', resolve))),
    );
    await new Promise(resolve => setTimeout(resolve, 2_500));
    renewals = server.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/leases/')).length;
    expect(renewals).toBeGreaterThan(2);
    expect(answered).toBe(0);
    stop.abort();
    await leading;
  });
});

describe('A call that waits for a connection', () => {
  test('is not late before it has one', async () => {
    kube.close();
    kube = createKube(server.connection(), { userAgent: 'test', callTimeoutMs: 800 });
    server.injectFault({ delayMs: 300 }, Infinity, isEviction);
    const failures = (await evict(16 * 4)).filter(result => String(result).includes('no response within'));
    expect(failures).toEqual([]);
  });

  test('is aborted by its signal', async () => {
    server.injectFault({ delayMs: 1_000 }, Infinity, isEviction);
    const pending = evict(16);
    const stop = new AbortController();
    const queued = kube.with(stop.signal).evict({ namespace: 'default', name: 'last' }, { uid: 'last' });
    const result = queued.catch((error: unknown) => String(error));
    await new Promise(resolve => setTimeout(resolve, 100));
    stop.abort(new Error('stopped'));
    expect(await result).toContain('stopped');
    await pending;
  });
});
