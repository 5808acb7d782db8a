import { describe, expect, test } from '@jest/globals';
import { type Change, ObjectCache } from '../../kube/cache.js';
import { type Thing, thing } from './samples.js';

const at = (name: string) => ({ namespace: 'default', name });
const cacheOf = (...things: Thing[]) => {
  const cache = new ObjectCache<Thing>({ indexes: { colour: one => (one.spec?.colour ? [one.spec.colour] : []) } });
  cache.replaceAll(things, '100');
  const told: string[] = [];
  cache.onChange(({ old, new: now }: Change<Thing>) =>
    told.push(`${old?.metadata.resourceVersion ?? '-'}>${now?.metadata.resourceVersion ?? '-'}`),
  );
  return { cache, told };
};
const a = (resourceVersion: string, uid = 'first', spec?: Thing['spec']) => thing('a', { resourceVersion, uid, spec });

describe('one object', () => {
  test.each<[string, (cache: ObjectCache<Thing>) => void, string | undefined, string[]]>([
    ['an answer to our own write is seen at once', c => c.put(a('120')), '120', ['50>120']],
    [
      'its own event then changes nothing',
      c => (c.put(a('120')), c.applyEvent('MODIFIED', a('120'))),
      '120',
      ['50>120'],
    ],
    [
      'an older event does not undo an answer',
      c => (c.put(a('120')), c.applyEvent('MODIFIED', a('110'))),
      '120',
      ['50>120'],
    ],
    [
      'an older answer does not undo an event',
      c => (c.applyEvent('MODIFIED', a('120')), c.put(a('110'))),
      '120',
      ['50>120'],
    ],
    ['versions are numbers, not words', c => c.put(a('1000')), '1000', ['50>1000']],
    ['a deletion takes it away', c => c.applyEvent('DELETED', a('120')), undefined, ['50>-']],
    [
      'an answer that comes after the deletion does not bring it back',
      c => (c.applyEvent('DELETED', a('120')), c.put(a('115'))),
      undefined,
      ['50>-'],
    ],
    [
      'the answer that was itself the end does not stay',
      c => (c.put(a('120')), c.applyEvent('DELETED', a('120'))),
      undefined,
      ['50>120', '120>-'],
    ],
    [
      'the deletion of a predecessor does not take the successor away',
      c => (c.put(a('130', 'second')), c.applyEvent('DELETED', a('120', 'first'))),
      '130',
      ['50>-', '->130'],
    ],
    [
      'a successor is told as an end and a beginning',
      c => c.applyEvent('MODIFIED', a('130', 'second')),
      '130',
      ['50>-', '->130'],
    ],
    [
      'gone and made anew',
      c => (c.applyEvent('DELETED', a('120')), c.applyEvent('ADDED', a('130', 'second'))),
      '130',
      ['50>-', '->130'],
    ],
    [
      'an event told twice is heard once',
      c => (c.applyEvent('MODIFIED', a('120')), c.applyEvent('MODIFIED', a('120'))),
      '120',
      ['50>120'],
    ],
    [
      'a deletion of something unknown is nothing',
      c => c.applyEvent('DELETED', thing('z', { resourceVersion: '120' })),
      '50',
      [],
    ],
  ])('%s', (_sentence, happen, version, expected) => {
    const { cache, told } = cacheOf(a('50'));
    happen(cache);
    expect(cache.get(at('a'))?.metadata.resourceVersion).toBe(version);
    expect(told).toEqual(expected);
  });

  test('an answer older than what the watch has passed is of something gone', () => {
    const { cache } = cacheOf();
    cache.advanceTo('200');
    cache.put(a('150'));
    expect(cache.list()).toEqual([]);
    cache.put(a('201'));
    expect(cache.list()).toHaveLength(1);
  });
});

describe('a new list', () => {
  test('drops what it does not hold, and tells of each', () => {
    const { cache, told } = cacheOf(a('50'), thing('b', { resourceVersion: '60' }));
    cache.replaceAll([thing('b', { resourceVersion: '60' })], '200');
    expect(cache.list().map(one => one.metadata.name)).toEqual(['b']);
    expect(told).toEqual(['50>-']);
  });

  test('keeps an answer that is younger than the list', () => {
    const { cache } = cacheOf(a('50'));
    cache.put(a('300'));
    cache.put(thing('new', { resourceVersion: '301' }));
    cache.replaceAll([a('50')], '200');
    expect(cache.list().map(one => one.metadata.resourceVersion)).toEqual(['300', '301']);
  });

  test('is believed whole when the cluster went back to an older state', () => {
    const { cache } = cacheOf(a('50'));
    cache.applyEvent('MODIFIED', a('5000'));
    cache.applyEvent('ADDED', thing('lost', { resourceVersion: '5001' }));
    cache.replaceAll([a('50')], '60');
    expect(cache.list().map(one => one.metadata.resourceVersion)).toEqual(['50']);
    cache.applyEvent('MODIFIED', a('61'));
    expect(cache.get(at('a'))?.metadata.resourceVersion).toBe('61');
  });

  test('only a list makes it complete', () => {
    const cache = new ObjectCache<Thing>();
    cache.put(a('50'));
    expect(cache.hasSynced()).toBe(false);
    cache.replaceAll([], '100');
    expect([cache.hasSynced(), cache.list()]).toEqual([true, []]);
  });
});

describe('an index', () => {
  test('follows its objects', () => {
    const { cache } = cacheOf(a('50', 'first', { colour: 'red' }), thing('b', { spec: { colour: 'red' } }));
    const red = () => cache.byIndex('colour', 'red').map(one => one.metadata.name);
    expect(red()).toEqual(['a', 'b']);
    cache.applyEvent('MODIFIED', a('120', 'first', { colour: 'blue' }));
    expect(red()).toEqual(['b']);
    expect(cache.byIndex('colour', 'blue')).toHaveLength(1);
    cache.applyEvent('DELETED', thing('b', { resourceVersion: '121' }));
    expect(red()).toEqual([]);
  });

  test('that does not exist is a mistake of the program', () => {
    expect(() => cacheOf().cache.byIndex('size', '1')).toThrow('no index size');
  });
});

test('what is put in is pruned like everything else', () => {
  const cache = new ObjectCache<Thing>({ transform: ({ metadata }) => ({ metadata }) });
  cache.put(a('1', 'first', { size: 5 }));
  expect(cache.get(at('a'))?.spec).toBeUndefined();
});
