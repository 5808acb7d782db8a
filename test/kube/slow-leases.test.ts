/** Leader election while the API server takes seconds for every call, also for those about Leases. */
import { expect, test } from '@jest/globals';
import type { Kube } from '../../kube/kube.js';
import { whileLeader, LeadershipLost } from '../../kube/leader.js';
import { fakeClock, type FakeClock } from '../fakes/clock.js';
import { FakeKube } from '../fakes/kube.js';
import { silentLog } from '../../program/log.js';

/** The API server carries out a call in the middle of its duration. */
function slowKube(kube: FakeKube, clock: FakeClock, seconds: number): Kube {
  const half = () => clock.sleep(seconds * 500);
  const slowly = async <T>(call: () => Promise<T>): Promise<T> => {
    await half();
    const outcome = await call().then(
      value => ({ value }),
      (error: unknown) => ({ error }),
    );
    await half();
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  };
  return Object.assign(Object.create(kube) as Kube, {
    get: (...call: Parameters<Kube['get']>) => slowly(() => kube.get(...call)),
    create: (...call: Parameters<Kube['create']>) => slowly(() => kube.create(...call)),
    replace: (...call: Parameters<Kube['replace']>) => slowly(() => kube.replace(...call)),
  });
}

test.each([1, 4, 6, 8])('A leader keeps the lease while every call takes %d s', async seconds => {
  const clock = fakeClock();
  const store = new FakeKube();
  const kube = slowKube(store, clock, seconds);
  const stop = new AbortController();
  const leaders = new Set<string>();
  const ends: string[] = [];
  let starts = 0;
  const compete = (identity: string) =>
    whileLeader(
      kube,
      { namespace: 'operator-system', name: 'lease', identity },
      { log: silentLog, clock, signal: stop.signal, random: () => 0.5 },
      async leading => {
        starts += 1;
        leaders.add(identity);
        await new Promise(resolve => leading.addEventListener('abort', resolve));
        leaders.delete(identity);
      },
    ).catch((error: unknown) => void ends.push(error instanceof LeadershipLost ? 'lost' : String(error)));
  const all = [compete('a'), compete('b')];
  for (let passed = 0; passed < 300; passed += 1) {
    await clock.advance(1_000);
    expect(leaders.size).toBeLessThanOrEqual(1);
  }
  expect({ leaders: leaders.size, starts, ends }).toEqual({ leaders: 1, starts: 1, ends: [] });
  stop.abort();
  await clock.advance(60_000);
  await Promise.all(all);
});
