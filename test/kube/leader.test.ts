import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createKube, type KubeClient } from '../../kube/client.js';
import { LeadershipLost, whileLeader } from '../../kube/leader.js';
import { acquiredSpec, canAcquire, type LeaseObject, microTime } from '../../kube/lease.js';
import { LEASES } from '../../kube/resources.js';
import { silentLog } from '../../program/log.js';
import { HttpsApiServer } from '../fakes/https-api-server.js';
import { type FakeClock, fakeClock } from '../fakes/clock.js';
import { until } from './samples.js';

const at = { namespace: 'operator', name: 'lease' };

describe('a lease', () => {
  const held = (holderIdentity: string, leaseDurationSeconds = 15) => ({ holderIdentity, leaseDurationSeconds });
  test.each<[string, LeaseObject['spec'], number, boolean]>([
    ['can be acquired when it was never held', undefined, 0, true],
    ['can be acquired when it was released', held('', 1), 0, true],
    ['can be acquired when this identity holds it from before a restart', held('me'), 0, true],
    ['cannot be acquired when another holder was just observed', held('other'), 0, false],
    ['cannot be acquired before it was unchanged for its whole duration', held('other'), 14_999, false],
    ['can be acquired once it was unchanged for its whole duration', held('other'), 15_000, true],
    ['cannot be acquired before its own longer duration has passed', held('other', 60), 15_000, false],
  ])('%s', (_title, spec, unchangedMs, free) => expect(canAcquire(spec, 'me', unchangedMs)).toBe(free));
});

describe('the acquired lease', () => {
  const now = new Date('2026-01-02T03:04:05.678Z');
  const old = { holderIdentity: 'me', acquireTime: '2026-01-01T00:00:00.000000Z', leaseTransitions: 4 };
  test.each<[string, LeaseObject['spec'], { acquired: string; transitions: number }]>([
    ['has no transitions when it is new', undefined, { acquired: '2026-01-02T03:04:05.678000Z', transitions: 0 }],
    ['keeps its acquire time on a renewal', old, { acquired: '2026-01-01T00:00:00.000000Z', transitions: 4 }],
    [
      'counts a transition when the holder changes',
      { ...old, holderIdentity: 'you' },
      { acquired: '2026-01-02T03:04:05.678000Z', transitions: 5 },
    ],
  ])('%s', (_title, spec, { acquired, transitions }) =>
    expect(acquiredSpec(spec, 'me', now)).toEqual({
      holderIdentity: 'me',
      leaseDurationSeconds: 30,
      acquireTime: acquired,
      renewTime: '2026-01-02T03:04:05.678000Z',
      leaseTransitions: transitions,
    }),
  );

  test('has times with microseconds', () => expect(microTime(now)).toBe('2026-01-02T03:04:05.678000Z'));
});

describe('leader election', () => {
  let server: HttpsApiServer;
  let clock: FakeClock;
  let kube: KubeClient;
  let candidates: Candidate[];

  interface Candidate {
    stop: AbortController;
    leading: boolean;
    ended: string | undefined;
    done: Promise<void>;
  }

  /** Competes for the lease and leads until it is stopped. */
  function compete(identity: string, client = kube, lead = leadUntilStopped): Candidate {
    const stop = new AbortController();
    const one: Candidate = { stop, leading: false, ended: undefined, done: Promise.resolve() };
    const deps = { log: silentLog, clock, signal: stop.signal, random: () => 0.5 };
    one.done = whileLeader(client, { ...at, identity }, deps, leading => lead(one, leading)).then(
      () => void (one.ended = 'stopped'),
      (error: unknown) => void (one.ended = error instanceof LeadershipLost ? 'lost' : String(error)),
    );
    candidates.push(one);
    return one;
  }

  const leadUntilStopped = async (one: Candidate, leading: AbortSignal) => {
    one.leading = true;
    await new Promise(resolve => leading.addEventListener('abort', resolve));
    one.leading = false;
  };

  /** Real calls take real time, so the fake clock advances in small steps with time for calls in between. */
  const pass = async (ms: number, check = () => {}) => {
    for (let passed = 0; passed < ms; passed += 500) {
      await clock.advance(500);
      await new Promise(resolve => setTimeout(resolve, 8));
      check();
    }
  };
  const lease = async () => (await kube.get<LeaseObject>(LEASES, at)).spec;

  beforeEach(async () => {
    candidates = [];
    clock = fakeClock();
    server = await HttpsApiServer.start();
    kube = createKube(server.connection(), { userAgent: 'test' });
  });
  afterEach(async () => {
    for (const one of candidates) one.stop.abort();
    await pass(5_000);
    await Promise.all(candidates.map(one => one.done));
    kube.close();
    await server.stop();
  });

  test('makes the first replica the leader, which renews the lease', async () => {
    const a = compete('a');
    await until(() => a.leading);
    await pass(11_000);
    expect(await lease()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 30, leaseTransitions: 0 });
    expect(server.requestsTo('PUT')).toHaveLength(1);
  });

  test('passes to the next replica soon after the leader stops in order', async () => {
    const a = compete('a');
    await until(() => a.leading);
    const b = compete('b');
    await pass(1_000);
    expect(b.leading).toBe(false);
    a.stop.abort();
    await a.done;
    expect(a.ended).toBe('stopped');
    expect(await lease()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    await pass(5_000);
    expect(b.leading).toBe(true);
    expect(await lease()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  test('passes to another replica only after the lease of a crashed leader has expired', async () => {
    const foreign = { holderIdentity: 'crashed', leaseDurationSeconds: 15, renewTime: '2000-01-01T00:00:00.000000Z' };
    await kube.create(LEASES, { metadata: at, spec: foreign }, at.namespace);
    const b = compete('b');
    await pass(14_000);
    expect(b.leading).toBe(false);
    await pass(6_000);
    expect(b.leading).toBe(true);
  });

  test('returns to the same identity immediately after a restart', async () => {
    await kube.create(LEASES, { metadata: at, spec: { holderIdentity: 'a', leaseDurationSeconds: 15 } }, at.namespace);
    const a = compete('a');
    await until(() => a.leading);
    expect(await lease()).toMatchObject({ leaseTransitions: 0 });
  });

  test('never has two leaders: one that is cut off stops before another starts', async () => {
    const cutOff = createKube(server.connection(), { userAgent: 'cut-off' });
    const a = compete('a', cutOff);
    await until(() => a.leading);
    const b = compete('b');
    let both = 0;
    const check = () => void (both += Number(a.leading && b.leading));
    await pass(5_000, check);
    server.injectFault({ status: 503 }, 1_000, seen => seen.headers['user-agent'] === 'cut-off');
    await pass(17_000, check);
    expect([a.leading, a.ended]).toEqual([false, 'lost']);
    await pass(16_000, check);
    expect(b.leading).toBe(true);
    expect(both).toBe(0);
    cutOff.close();
  });

  test('keeps the leader when one call hangs', async () => {
    const a = compete('a');
    await until(() => a.leading);
    server.injectFault('noResponse', 1);
    await pass(40_000);
    expect(a.leading).toBe(true);
  });

  test('ends the leadership when every call hangs, without waiting for responses', async () => {
    const a = compete('a');
    await until(() => a.leading);
    server.injectFault('noResponse', 1_000);
    await pass(24_000);
    expect(a.ended).toBe('lost');
    kube.close();
    kube = createKube(server.connection(), { userAgent: 'test' });
    server.clearFaults();
  });

  test('elects one of many replicas that start together', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) compete(name);
    await pass(6_000, () => expect(candidates.filter(one => one.leading).length).toBeLessThanOrEqual(1));
    expect(candidates.filter(one => one.leading)).toHaveLength(1);
  });

  /** Makes `what` reach the server only after the leader was stopped and has released the lease. */
  async function stopDuring(what: (method: string) => boolean): Promise<void> {
    const a = compete('a');
    await until(() => a.leading);
    const sent = server.requests.length;
    server.injectFault({ delayMs: 150 }, 1, ({ method }) => what(method));
    await clock.advance(10_000);
    await until(() => server.requests.slice(sent).some(({ method }) => what(method)));
    a.stop.abort();
    await a.done;
    expect(await lease()).toMatchObject({ holderIdentity: '' });
    await new Promise(resolve => setTimeout(resolve, 300));
  }

  test('does not take the lease again with a renewal that was in flight when it stopped', async () => {
    await stopDuring(method => method === 'PUT');
    expect(await lease()).toMatchObject({ holderIdentity: '' });
  });

  test('does not take the lease again with a read that was in flight when it stopped', async () => {
    const conflict = { status: 409, reason: 'Conflict' };
    server.injectFault(conflict, 1, ({ method }) => method === 'PUT');
    await stopDuring(method => method === 'GET');
    expect(await lease()).toMatchObject({ holderIdentity: '' });
  });

  test('releases the lease although a renewal arrives in the middle of the release', async () => {
    const a = compete('a');
    await until(() => a.leading);
    server.injectFault({ delayMs: 60 }, 1, ({ method }) => method === 'PUT');
    await clock.advance(10_000);
    await until(() => server.requestsTo('PUT').length === 1);
    server.injectFault({ delayMs: 120 }, 1, ({ method }) => method === 'PUT');
    a.stop.abort();
    await a.done;
    expect(await lease()).toMatchObject({ holderIdentity: '' });
  });

  test('does not start the work when it is stopped while it acquires the lease', async () => {
    server.injectFault({ delayMs: 100 }, 1, ({ method }) => method === 'POST');
    let runs = 0;
    const a = compete('a', kube, async () => void (runs += 1));
    await until(() => server.requestsTo('POST').length === 1);
    a.stop.abort();
    await a.done;
    expect([runs, a.ended]).toEqual([0, 'stopped']);
    expect(await lease()).toMatchObject({ holderIdentity: '' });
  });

  test('does not depend on wall clocks', async () => {
    const a = compete('a');
    await until(() => a.leading);
    const b = compete('b');
    clock.jumpWallClock(3_600_000);
    await pass(6_000, () => expect(a.leading && b.leading).toBe(false));
    expect(a.leading).toBe(true);
  });

  test.each([
    ['fails', async () => Promise.reject(new Error('broken')), 'Error: broken'],
    ['ends', async () => undefined, 'stopped'],
  ])('releases the lease when the work %s', async (_title, lead, ended) => {
    const a = compete('a', kube, lead);
    await until(() => a.ended !== undefined);
    expect(a.ended).toBe(ended);
    expect(await lease()).toMatchObject({ holderIdentity: '' });
  });
});
