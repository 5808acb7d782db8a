import { describe, expect, test } from '@jest/globals';
import { createKube } from '../../kube/client.js';
import { NODES } from '../../kube/resources.js';
import { serverClock, type ServerTime } from '../../kube/server-clock.js';
import { silentLog } from '../../program/log.js';
import { fakeClock } from '../fakes/clock.js';
import { HttpsApiServer } from '../fakes/https-api-server.js';

const SERVER = Date.parse('2026-01-01T00:00:00.000Z');

/** A machine whose clock is ahead of the server's by `aheadMs`; `answer` observes a response of a server that is ahead by `serverAheadMs`. */
function machine(aheadMs: number) {
  const local = fakeClock(new Date(SERVER + aheadMs).toISOString());
  const clock = serverClock(local, silentLog);
  const answer = ({ serverAheadMs = 0, tookMs = 10 } = {}) => {
    const now = local.monotonic();
    const date = new Date(Math.floor((SERVER + now + serverAheadMs) / 1000) * 1000);
    clock.observe({ date, sentAt: now - tookMs, receivedAt: now + tookMs });
  };
  /** How far the clock is ahead of the server's. */
  const aheadOfServer = () => clock.now().getTime() - SERVER - local.monotonic();
  return { local, clock, answer, aheadOfServer };
}

describe('the clock of the API server', () => {
  test('is the clock of the machine before the first response', () => {
    expect(machine(3_600_000).aheadOfServer()).toBe(3_600_000);
  });

  test.each([5 * 60_000, -5 * 60_000, 48 * 3_600_000])(
    'is followed within a second from the first response on, by a machine that is ahead by %i ms',
    aheadMs => {
      const { answer, aheadOfServer } = machine(aheadMs);
      answer();
      expect(Math.abs(aheadOfServer())).toBeLessThanOrEqual(1_020);
    },
  );

  test('is not followed by a machine that differs by less than two seconds', () => {
    const { answer, aheadOfServer } = machine(1_500);
    answer();
    expect(aheadOfServer()).toBe(1_500);
  });

  test('is not changed by a correction of the clock of the machine', async () => {
    const { local, answer, aheadOfServer } = machine(0);
    answer();
    local.jumpWallClock(-7_200_000);
    await local.advance(60_000);
    answer();
    expect(aheadOfServer()).toBe(0);
  });

  test('does not change while one of several servers agrees with it', async () => {
    const { local, answer, aheadOfServer } = machine(0);
    for (let turn = 0; turn < 20; turn += 1) {
      answer({ serverAheadMs: turn % 2 === 0 ? 0 : 8_000 });
      await local.advance(10_000);
    }
    expect(aheadOfServer()).toBe(0);
  });

  test.each<[string, number, number[]]>([
    ['at once when they are behind', -600_000, [-600_000, -600_000]],
    ['faster than time runs, but without a jump, when they are ahead', 600_000, [0, 300_000]],
  ])('is followed %s, after every response has differed for half a minute', async (_how, serverAheadMs, expected) => {
    const { local, answer, aheadOfServer } = machine(0);
    answer();
    for (let turn = 0; turn < 4; turn += 1) {
      expect(aheadOfServer()).toBe(0);
      await local.advance(10_000);
      answer({ serverAheadMs });
    }
    const seen = [aheadOfServer()];
    await local.advance(600_000);
    seen.push(aheadOfServer());
    for (const [index, ms] of seen.entries()) expect(Math.abs(ms - (expected[index] ?? 0))).toBeLessThanOrEqual(1_020);
  });

  test('is right again after it has caught up', async () => {
    const { local, answer, aheadOfServer } = machine(0);
    answer();
    for (let turn = 0; turn < 5; turn += 1) {
      answer({ serverAheadMs: 600_000 });
      await local.advance(10_000);
    }
    await local.advance(1_200_000);
    expect(Math.abs(aheadOfServer() - 600_000)).toBeLessThanOrEqual(1_020);
  });

  test('is not read from a response that took very long', () => {
    const { answer, aheadOfServer } = machine(20_000);
    answer({ tookMs: 30_000 });
    expect(aheadOfServer()).toBe(20_000);
  });

  test('ignores a header that is not a date', () => {
    const { clock, aheadOfServer } = machine(0);
    clock.observe({ date: new Date('x'), sentAt: 0, receivedAt: 0 });
    expect(aheadOfServer()).toBe(0);
  });
});

test('a client reports the time of the server with every response, also with an error', async () => {
  const server = await HttpsApiServer.start();
  const times: ServerTime[] = [];
  const kube = createKube(server.connection(), { userAgent: 'x/1', onServerTime: time => times.push(time) });
  await kube.get(NODES, { name: 'missing' }).catch(() => undefined);
  kube.close();
  await server.stop();
  expect(times).toHaveLength(1);
  const { date = new Date(0), sentAt = Infinity, receivedAt = 0 } = times[0] ?? {};
  expect(Math.abs(date.getTime() - Date.now())).toBeLessThan(60_000);
  expect(sentAt).toBeLessThanOrEqual(receivedAt);
});
