import { beforeEach, describe, expect, test } from '@jest/globals';
import { ObjectCache } from '../../kube/cache.js';
import type { Stored } from '../../kube/kube.js';
import { refreshObject, STALE_AFTER_MS, StalenessTracker } from '../../kube/live-read.js';
import { NODES } from '../../kube/resources.js';
import { fakeClock } from '../fakes/clock.js';
import { FakeKube } from '../fakes/kube.js';

describe('Something is read because no watch has told of it', () => {
  let kube: FakeKube;
  let cache: ObjectCache<Stored>;
  let told: string[];
  beforeEach(() => {
    kube = new FakeKube();
    cache = new ObjectCache<Stored>();
    told = [];
  });
  const listen = () =>
    cache.onChange(({ old, new: now }) => void told.push(`${old ? 'old' : '-'} ${now ? 'new' : '-'}`));
  const n1 = (resourceVersion: string) => ({ metadata: { name: 'n1', uid: 'uid-n1', resourceVersion } });

  test('and what is news rings', async () => {
    cache.put(n1('1'));
    kube.seed(NODES, n1('2'));
    listen();
    await refreshObject(kube, NODES, cache, { name: 'n1' });
    expect(told).toEqual(['old new']);
  });

  test('and what is as it was does not', async () => {
    kube.seed(NODES, n1('1'));
    cache.put(await kube.get(NODES, { name: 'n1' }));
    listen();
    await refreshObject(kube, NODES, cache, { name: 'n1' });
    expect(told).toEqual([]);
  });

  test('and what no watch has told of is known', async () => {
    kube.seed(NODES, n1('1'));
    cache.advanceTo('7');
    listen();
    await refreshObject(kube, NODES, cache, { name: 'n1' });
    expect(told).toEqual(['- new']);
  });

  test('but not what may have been deleted while it was read', async () => {
    kube.seed(NODES, n1('1'));
    const found = await kube.get(NODES, { name: 'n1' });
    cache.applyEvent('DELETED', n1('8'));
    cache.putLive(found);
    expect(cache.list()).toEqual([]);
  });

  test('and what is gone is forgotten', async () => {
    cache.put(n1('1'));
    listen();
    await refreshObject(kube, NODES, cache, { name: 'n1' });
    expect(told).toEqual(['old -']);
    await refreshObject(kube, NODES, cache, { name: 'n1' });
  });
});

describe('A silence', () => {
  test('is too long after five minutes, and counts anew then and with each change', async () => {
    const clock = fakeClock();
    const tracker = new StalenessTracker(clock);
    const after = async (ms: number, as: string) => {
      await clock.advance(ms);
      return tracker.isStale('x', as);
    };
    expect(await after(0, 'a')).toBe(false);
    expect(await after(STALE_AFTER_MS - 1, 'a')).toBe(false);
    expect(await after(1, 'a')).toBe(true);
    expect(await after(1, 'a')).toBe(false);
    expect(await after(STALE_AFTER_MS, 'b')).toBe(false);
    expect(await after(STALE_AFTER_MS, 'b')).toBe(true);
    tracker.forget('x');
    expect(await after(STALE_AFTER_MS, 'b')).toBe(false);
  });
});
