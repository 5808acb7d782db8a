import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createKube, type KubeClient } from '../../kube/client.js';
import { LeadershipLost, whileLeader } from '../../kube/leader.js';
import { acquiredSpec, canAcquire, type LeaseObject, microTime } from '../../kube/lease.js';
import { LEASES } from '../../kube/resources.js';
import { silentLog } from '../../program/log.js';
import { ApiServer } from '../fakes/api-server.js';
import { type FakeClock, fakeClock } from '../fakes/clock.js';
import { until } from './samples.js';

const at = { namespace: 'operator', name: 'lease' };

describe('free or not', () => {
  const held = (holderIdentity: string, leaseDurationSeconds = 15) => ({ holderIdentity, leaseDurationSeconds });
  test.each<[string, LeaseObject['spec'], number, boolean]>([
    ['nobody ever held it', undefined, 0, true],
    ['handed over', held('', 1), 0, true],
    ['ours from before a restart', held('me'), 0, true],
    ["another's, seen just now", held('other'), 0, false],
    ["another's, unchanged nearly as long as it lasts", held('other'), 14_999, false],
    ["another's, unchanged for as long as it lasts", held('other'), 15_000, true],
    ["another's, which is to last longer", held('other', 60), 15_000, false],
  ])('%s', (_sentence, spec, unchangedMs, free) => expect(canAcquire(spec, 'me', unchangedMs)).toBe(free));
});

describe('the claim', () => {
  const now = new Date('2026-01-02T03:04:05.678Z');
  const old = { holderIdentity: 'me', acquireTime: '2026-01-01T00:00:00.000000Z', leaseTransitions: 4 };
  test.each<[string, LeaseObject['spec'], { acquired: string; transitions: number }]>([
    ['a first one', undefined, { acquired: '2026-01-02T03:04:05.678000Z', transitions: 0 }],
    ['a renewal', old, { acquired: '2026-01-01T00:00:00.000000Z', transitions: 4 }],
    ['a take-over', { ...old, holderIdentity: 'you' }, { acquired: '2026-01-02T03:04:05.678000Z', transitions: 5 }],
  ])('%s', (_sentence, spec, { acquired, transitions }) =>
    expect(acquiredSpec(spec, 'me', now)).toEqual({
      holderIdentity: 'me',
      leaseDurationSeconds: 30,
      acquireTime: acquired,
      renewTime: '2026-01-02T03:04:05.678000Z',
      leaseTransitions: transitions,
    }),
  );

  test('is written with microseconds', () => expect(microTime(now)).toBe('2026-01-02T03:04:05.678000Z'));
});

describe('candidates', () => {
  let server: ApiServer;
  let clock: FakeClock;
  let kube: KubeClient;
  let all: Candidacy[];

  interface Candidacy {
    stop: AbortController;
    leading: boolean;
    ended: string | undefined;
    done: Promise<void>;
  }

  /** Runs for the lease and leads until told to stop. */
  function stand(identity: string, client = kube, lead = leadUntilStopped): Candidacy {
    const stop = new AbortController();
    const one: Candidacy = { stop, leading: false, ended: undefined, done: Promise.resolve() };
    const deps = { log: silentLog, clock, signal: stop.signal, random: () => 0.5 };
    one.done = whileLeader(client, { ...at, identity }, deps, leading => lead(one, leading)).then(
      () => void (one.ended = 'orderly'),
      (error: unknown) => void (one.ended = error instanceof LeadershipLost ? 'lost' : String(error)),
    );
    all.push(one);
    return one;
  }

  const leadUntilStopped = async (one: Candidacy, leading: AbortSignal) => {
    one.leading = true;
    await new Promise(resolve => leading.addEventListener('abort', resolve));
    one.leading = false;
  };

  /** Real calls take real time: the hands move on in small steps, with room for the calls in between. */
  const pass = async (ms: number, look = () => {}) => {
    for (let gone = 0; gone < ms; gone += 500) {
      await clock.advance(500);
      await new Promise(resolve => setTimeout(resolve, 8));
      look();
    }
  };
  const lease = async () => (await kube.get<LeaseObject>(LEASES, at)).spec;

  beforeEach(async () => {
    all = [];
    clock = fakeClock();
    server = await ApiServer.start();
    kube = createKube(server.connection(), { userAgent: 'test' });
  });
  afterEach(async () => {
    for (const one of all) one.stop.abort();
    await pass(5_000);
    await Promise.all(all.map(one => one.done));
    kube.close();
    await server.stop();
  });

  test('the first one leads, and renews', async () => {
    const a = stand('a');
    await until(() => a.leading);
    await pass(11_000);
    expect(await lease()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 30, leaseTransitions: 0 });
    expect(server.asked('PUT')).toHaveLength(1);
  });

  test('an orderly stop hands the lease over at once', async () => {
    const a = stand('a');
    await until(() => a.leading);
    const b = stand('b');
    await pass(1_000);
    expect(b.leading).toBe(false);
    a.stop.abort();
    await a.done;
    expect(a.ended).toBe('orderly');
    expect(await lease()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    await pass(5_000);
    expect(b.leading).toBe(true);
    expect(await lease()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  test('a leader that vanished is followed after the whole lease, not before', async () => {
    const foreign = { holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: '2000-01-01T00:00:00.000000Z' };
    await kube.create(LEASES, { metadata: at, spec: foreign }, at.namespace);
    const b = stand('b');
    await pass(14_000);
    expect(b.leading).toBe(false);
    await pass(6_000);
    expect(b.leading).toBe(true);
  });

  test('after a restart under the same name the lease is taken back at once', async () => {
    await kube.create(LEASES, { metadata: at, spec: { holderIdentity: 'a', leaseDurationSeconds: 15 } }, at.namespace);
    const a = stand('a');
    await until(() => a.leading);
    expect(await lease()).toMatchObject({ leaseTransitions: 0 });
  });

  test('a leader cut off stops by itself before another begins; never do two lead', async () => {
    const cutOff = createKube(server.connection(), { userAgent: 'cut-off' });
    const a = stand('a', cutOff);
    await until(() => a.leading);
    const b = stand('b');
    let both = 0;
    const look = () => void (both += Number(a.leading && b.leading));
    await pass(5_000, look);
    server.fail({ answer: 503 }, 1_000, seen => seen.headers['user-agent'] === 'cut-off');
    await pass(17_000, look);
    expect([a.leading, a.ended]).toEqual([false, 'lost']);
    await pass(16_000, look);
    expect(b.leading).toBe(true);
    expect(both).toBe(0);
    cutOff.close();
  });

  test('one call that hangs does not cost the leadership', async () => {
    const a = stand('a');
    await until(() => a.leading);
    server.fail('silence', 1);
    await pass(40_000);
    expect(a.leading).toBe(true);
  });

  test('a server that hangs does, and nobody waits for its answer', async () => {
    const a = stand('a');
    await until(() => a.leading);
    server.fail('silence', 1_000);
    await pass(24_000);
    expect(a.ended).toBe('lost');
    kube.close();
    kube = createKube(server.connection(), { userAgent: 'test' });
    server.heal();
  });

  test('of many that begin together one leads', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) stand(name);
    await pass(6_000, () => expect(all.filter(one => one.leading).length).toBeLessThanOrEqual(1));
    expect(all.filter(one => one.leading)).toHaveLength(1);
  });

  test('wall clocks that disagree do not matter', async () => {
    const a = stand('a');
    await until(() => a.leading);
    const b = stand('b');
    clock.jump(3_600_000);
    await pass(6_000, () => expect(a.leading && b.leading).toBe(false));
    expect(a.leading).toBe(true);
  });

  test.each([
    ['fails', async () => Promise.reject(new Error('broken')), 'Error: broken'],
    ['comes to its end', async () => undefined, 'orderly'],
  ])('work that %s hands the lease over too', async (_sentence, lead, ended) => {
    const a = stand('a', kube, lead);
    await until(() => a.ended !== undefined);
    expect(a.ended).toBe(ended);
    expect(await lease()).toMatchObject({ holderIdentity: '' });
  });
});
