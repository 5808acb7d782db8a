import { describe, expect, test } from '@jest/globals';
import { rolloutOrder, slotCount, targetsOf } from '../../../controller/cluster/targets.js';
import { node } from '../../builders.js';

describe('Targets', () => {
  const all = [
    node('linux', { labels: { zone: 'a' } }),
    node('windows', { labels: { 'kubernetes.io/os': 'windows', zone: 'a' } }),
    node('virtual', { labels: { type: 'virtual-kubelet', zone: 'a' } }),
    node('other', { labels: { zone: 'b' } }),
  ];
  test.each<[string, object, string[]]>([
    ['are all Linux nodes without a selector', {}, ['linux', 'other']],
    ['are those with the label', { nodeSelector: { matchLabels: { zone: 'a' } } }, ['linux']],
    [
      'are those that meet the expressions',
      { nodeSelector: { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] } },
      ['other'],
    ],
    ['are none where nothing matches', { nodeSelector: { matchLabels: { zone: 'c' } } }, []],
  ])('%s', (_sentence, spec, names) => expect(targetsOf(spec, all)).toEqual(names));

  test('a node that has no labels yet is judged by what its kubelet says', () => {
    const fresh = node('fresh');
    expect(targetsOf({}, [{ ...fresh, metadata: { ...fresh.metadata, labels: {} } }])).toEqual(['fresh']);
  });
});

describe('Order', () => {
  const nodes = new Map(
    [node('b'), node('a'), node('z', { controlPlane: true }), node('y', { controlPlane: true })].map(each => [
      each.metadata.name,
      each,
    ]),
  );
  const order = (ownNode?: string, names = [...nodes.keys()]) => rolloutOrder(names, name => nodes.get(name), ownNode);

  test.each<[string, string | undefined, string[]]>([
    ['control planes first, then by name', undefined, ['y', 'z', 'a', 'b']],
    ['the controller’s own control plane is the last of them', 'y', ['z', 'y', 'a', 'b']],
    ['the controller’s own worker is the last of all', 'a', ['y', 'z', 'b', 'a']],
  ])('%s', (_sentence, own, names) => expect(order(own)).toEqual(names));

  test('a node that left stands among the workers', () => {
    expect(order(undefined, ['b', 'gone', 'z'])).toEqual(['z', 'b', 'gone']);
  });

  test.each(['master', 'etcd', 'control-plane'])('a node labelled %s is a control plane', role => {
    const seen = node('z', { labels: { [`node-role.kubernetes.io/${role}`]: 'true' } });
    expect(rolloutOrder(['a', 'z'], name => (name === 'z' ? seen : nodes.get(name)))).toEqual(['z', 'a']);
  });
});

describe('Slots', () => {
  test.each<[string, number | string, number, number]>([
    ['0 means all', 0, 7, 7],
    ['a number is that many', 3, 7, 3],
    ['a percentage is rounded down', '50%', 7, 3],
    ['but never to nobody', '10%', 7, 1],
    ['0% is one at a time, too', '0%', 7, 1],
    ['100% are all', '100%', 7, 7],
  ])('%s', (_sentence, concurrency, targets, expected) => expect(slotCount(concurrency, targets)).toBe(expected));
});
