import { describe, expect, test } from '@jest/globals';
import { rolloutOrder, slotCount, targetsOf } from '../../../controller/cluster/targets.js';
import { node } from '../../builders.js';

describe('The targets of an operation', () => {
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

  test('include a Linux node that has no labels yet, by its nodeInfo', () => {
    const fresh = node('fresh');
    expect(targetsOf({}, [{ ...fresh, metadata: { ...fresh.metadata, labels: {} } }])).toEqual(['fresh']);
  });
});

describe('The order of targets', () => {
  const nodes = new Map(
    [node('b'), node('a'), node('z', { controlPlane: true }), node('y', { controlPlane: true })].map(each => [
      each.metadata.name,
      each,
    ]),
  );
  const order = (ownNode?: string, names = [...nodes.keys()]) => rolloutOrder(names, name => nodes.get(name), ownNode);

  test.each<[string, string | undefined, string[]]>([
    ['has control planes first, then sorts by name', undefined, ['y', 'z', 'a', 'b']],
    ['has the controller’s own control plane last among control planes', 'y', ['z', 'y', 'a', 'b']],
    ['has the controller’s own worker last of all', 'a', ['y', 'z', 'b', 'a']],
  ])('%s', (_sentence, own, names) => expect(order(own)).toEqual(names));

  test('has a removed node among the workers', () => {
    expect(order(undefined, ['b', 'gone', 'z'])).toEqual(['z', 'b', 'gone']);
  });

  test.each(['master', 'etcd', 'control-plane'])('counts a node labelled %s as a control plane', role => {
    const seen = node('z', { labels: { [`node-role.kubernetes.io/${role}`]: 'true' } });
    expect(rolloutOrder(['a', 'z'], name => (name === 'z' ? seen : nodes.get(name)))).toEqual(['z', 'a']);
  });
});

describe('The number of slots', () => {
  test.each<[string, number | string, number, number]>([
    ['is that of all targets for 0', 0, 7, 7],
    ['is the given number', 3, 7, 3],
    ['is a percentage rounded down', '50%', 7, 3],
    ['is at least 1 for a percentage', '10%', 7, 1],
    ['is 1 for 0%', '0%', 7, 1],
    ['is that of all targets for 100%', '100%', 7, 7],
  ])('%s', (_sentence, concurrency, targets, expected) => expect(slotCount(concurrency, targets)).toBe(expected));
});
