import { describe, expect, test } from '@jest/globals';
import { type Change, ObjectCache } from '../../kube/cache.js';
import { type Thing, thing } from './samples.js';

const at = (name: string) => ({ namespace: 'default', name });
const cacheOf = (...things: Thing[]) => {
  const cache = new ObjectCache<Thing>({ indexes: { colour: one => (one.spec?.colour ? [one.spec.colour] : []) } });
  cache.replaceAll(things, '100');
  const changes: string[] = [];
  cache.onChange(({ old, new: now }: Change<Thing>) =>
    changes.push(`${old?.metadata.resourceVersion ?? '-'}>${now?.metadata.resourceVersion ?? '-'}`),
  );
  return { cache, changes };
};
const a = (resourceVersion: string, uid = 'first', spec?: Thing['spec']) => thing('a', { resourceVersion, uid, spec });

describe('an object in the cache', () => {
  test.each<[string, (cache: ObjectCache<Thing>) => void, string | undefined, string[]]>([
    ['is updated by the response to a write of this program', c => c.put(a('120')), '120', ['50>120']],
    [
      'is not changed again by the event of that write',
      c => (c.put(a('120')), c.applyEvent('MODIFIED', a('120'))),
      '120',
      ['50>120'],
    ],
    [
      'is not reverted by an event older than the response',
      c => (c.put(a('120')), c.applyEvent('MODIFIED', a('110'))),
      '120',
      ['50>120'],
    ],
    [
      'is not reverted by a response older than an event',
      c => (c.applyEvent('MODIFIED', a('120')), c.put(a('110'))),
      '120',
      ['50>120'],
    ],
    ['has its versions compared as numbers', c => c.put(a('1000')), '1000', ['50>1000']],
    ['is removed by a DELETED event', c => c.applyEvent('DELETED', a('120')), undefined, ['50>-']],
    [
      'is not restored by a response that arrives after the deletion',
      c => (c.applyEvent('DELETED', a('120')), c.put(a('115'))),
      undefined,
      ['50>-'],
    ],
    [
      'is removed when the response already has the version of the deletion',
      c => (c.put(a('120')), c.applyEvent('DELETED', a('120'))),
      undefined,
      ['50>120', '120>-'],
    ],
    [
      'is kept when the deletion of its predecessor of the same name arrives late',
      c => (c.put(a('130', 'second')), c.applyEvent('DELETED', a('120', 'first'))),
      '130',
      ['50>-', '->130'],
    ],
    [
      'is reported as deleted and added when its uid changes',
      c => c.applyEvent('MODIFIED', a('130', 'second')),
      '130',
      ['50>-', '->130'],
    ],
    [
      'is reported as deleted and added when it is recreated',
      c => (c.applyEvent('DELETED', a('120')), c.applyEvent('ADDED', a('130', 'second'))),
      '130',
      ['50>-', '->130'],
    ],
    [
      'is reported once when an event is delivered twice',
      c => (c.applyEvent('MODIFIED', a('120')), c.applyEvent('MODIFIED', a('120'))),
      '120',
      ['50>120'],
    ],
    [
      'is not affected by the deletion of an unknown object',
      c => c.applyEvent('DELETED', thing('z', { resourceVersion: '120' })),
      '50',
      [],
    ],
  ])('%s', (_title, act, version, expected) => {
    const { cache, changes } = cacheOf(a('50'));
    act(cache);
    expect(cache.get(at('a'))?.metadata.resourceVersion).toBe(version);
    expect(changes).toEqual(expected);
  });

  test('is not added by a response older than the version that the watch has reached', () => {
    const { cache } = cacheOf();
    cache.advanceTo('200');
    cache.put(a('150'));
    expect(cache.list()).toEqual([]);
    cache.put(a('201'));
    expect(cache.list()).toHaveLength(1);
  });
});

describe('a complete list', () => {
  test('removes objects that it does not contain, and reports each of them', () => {
    const { cache, changes } = cacheOf(a('50'), thing('b', { resourceVersion: '60' }));
    cache.replaceAll([thing('b', { resourceVersion: '60' })], '200');
    expect(cache.list().map(one => one.metadata.name)).toEqual(['b']);
    expect(changes).toEqual(['50>-']);
  });

  test('keeps objects that were stored with a later version', () => {
    const { cache } = cacheOf(a('50'));
    cache.put(a('300'));
    cache.put(thing('new', { resourceVersion: '301' }));
    cache.replaceAll([a('50')], '200');
    expect(cache.list().map(one => one.metadata.resourceVersion)).toEqual(['300', '301']);
  });

  test('replaces everything when the cluster was restored to an older state', () => {
    const { cache } = cacheOf(a('50'));
    cache.applyEvent('MODIFIED', a('5000'));
    cache.applyEvent('ADDED', thing('lost', { resourceVersion: '5001' }));
    cache.replaceAll([a('50')], '60');
    expect(cache.list().map(one => one.metadata.resourceVersion)).toEqual(['50']);
    cache.applyEvent('MODIFIED', a('61'));
    expect(cache.get(at('a'))?.metadata.resourceVersion).toBe('61');
  });

  test('is required before the cache counts as synced', () => {
    const cache = new ObjectCache<Thing>();
    cache.put(a('50'));
    expect(cache.hasSynced()).toBe(false);
    cache.replaceAll([], '100');
    expect([cache.hasSynced(), cache.list()]).toEqual([true, []]);
  });
});

describe('an index', () => {
  test('is updated with its objects', () => {
    const { cache } = cacheOf(a('50', 'first', { colour: 'red' }), thing('b', { spec: { colour: 'red' } }));
    const red = () => cache.byIndex('colour', 'red').map(one => one.metadata.name);
    expect(red()).toEqual(['a', 'b']);
    cache.applyEvent('MODIFIED', a('120', 'first', { colour: 'blue' }));
    expect(red()).toEqual(['b']);
    expect(cache.byIndex('colour', 'blue')).toHaveLength(1);
    cache.applyEvent('DELETED', thing('b', { resourceVersion: '121' }));
    expect(red()).toEqual([]);
  });

  test('makes a lookup throw when it does not exist', () => {
    expect(() => cacheOf().cache.byIndex('size', '1')).toThrow('no index size');
  });
});

test('the transform also applies to objects stored by put', () => {
  const cache = new ObjectCache<Thing>({ transform: ({ metadata }) => ({ metadata }) });
  cache.put(a('1', 'first', { size: 5 }));
  expect(cache.get(at('a'))?.spec).toBeUndefined();
});
