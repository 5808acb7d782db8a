import { expect, test } from '@jest/globals';
import { realClock } from '../../program/clock.js';
import { fakeClock } from '../fakes/clock.js';

test('a sleep ends early and without an error when its signal aborts', async () => {
  const stop = new AbortController();
  const asleep = realClock.sleep(3_600_000, stop.signal);
  stop.abort();
  await asleep;
  await realClock.sleep(3_600_000, stop.signal);
  expect(stop.signal.aborted).toBe(true);
});

test('monotonic time increases', async () => {
  const startedAt = realClock.monotonic();
  await realClock.sleep(5);
  expect(realClock.monotonic()).toBeGreaterThan(startedAt);
});

test('the fake clock ends each sleep at its time when it is advanced', async () => {
  const clock = fakeClock();
  const woken: string[] = [];
  const loop = async (name: string, ms: number) => {
    for (;;) {
      await clock.sleep(ms);
      woken.push(`${name}@${clock.monotonic()}`);
      if (woken.length > 20) return;
    }
  };
  void loop('a', 100);
  void loop('b', 150);
  await clock.advance(320);
  expect(woken).toEqual(['a@100', 'b@150', 'a@200', 'b@300', 'a@300']);
  expect(clock.now().toISOString()).toBe('2026-01-01T00:00:00.320Z');
});
