import { beforeEach, describe, expect, test } from '@jest/globals';
import { ObjectCache } from '../../kube/cache.js';
import type { Stored } from '../../kube/kube.js';
import { refreshObject, STALE_AFTER_MS, StalenessTracker } from '../../kube/live-read.js';
import { NODES } from '../../kube/resources.js';
import { fakeClock } from '../fakes/clock.js';
import { FakeKube } from '../fakes/kube.js';

describe('an object read from the API server', () => {
  let kube: FakeKube;
  let cache: ObjectCache<Stored>;
  let changes: string[];
  beforeEach(() => {
    kube = new FakeKube();
    cache = new ObjectCache<Stored>();
    changes = [];
  });
  const recordChanges = () =>
    cache.onChange(({ old, new: now }) => void changes.push(`${old ? 'old' : '-'} ${now ? 'new' : '-'}`));
  const n1 = (resourceVersion: string) => ({ metadata: { name: 'n1', uid: 'uid-n1', resourceVersion } });

  test('notifies the handlers when it has changed', async () => {
    cache.put(n1('1'));
    kube.seed(NODES, n1('2'));
    recordChanges();
    await refreshObject(kube, NODES, cache, { name: 'n1' });
    expect(changes).toEqual(['old new']);
  });

  test('does not notify the handlers when it is unchanged', async () => {
    kube.seed(NODES, n1('1'));
    cache.put(await kube.get(NODES, { name: 'n1' }));
    recordChanges();
    await refreshObject(kube, NODES, cache, { name: 'n1' });
    expect(changes).toEqual([]);
  });

  test('is stored even when the watch never reported it', async () => {
    kube.seed(NODES, n1('1'));
    cache.advanceTo('7');
    recordChanges();
    await refreshObject(kube, NODES, cache, { name: 'n1' });
    expect(changes).toEqual(['- new']);
  });

  test('is not stored when it was deleted while it was being read', async () => {
    kube.seed(NODES, n1('1'));
    const found = await kube.get(NODES, { name: 'n1' });
    cache.applyEvent('DELETED', n1('8'));
    cache.putLive(found);
    expect(cache.list()).toEqual([]);
  });

  test('is removed from the cache when it does not exist', async () => {
    cache.put(n1('1'));
    recordChanges();
    await refreshObject(kube, NODES, cache, { name: 'n1' });
    expect(changes).toEqual(['old -']);
    await refreshObject(kube, NODES, cache, { name: 'n1' });
  });
});

describe('the staleness tracker', () => {
  test('reports an unchanged version as stale after five minutes, and restarts the time then and with each change', async () => {
    const clock = fakeClock();
    const tracker = new StalenessTracker(clock);
    const after = async (ms: number, version: string) => {
      await clock.advance(ms);
      return tracker.isStale('x', version);
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
