import { describe, expect, test } from '@jest/globals';
import { pruneDaemonSet, wantsPodOn, type CachedDaemonSet } from '../../../controller/cluster/daemon-set.js';
import type { NodeSelectorTerm } from '../../../controller/cluster/node-affinity.js';
import type { Taint } from '../../../controller/cluster/node.js';
import { node, type NodeTraits } from '../../builders.js';

type PodSpec = NonNullable<NonNullable<NonNullable<CachedDaemonSet['spec']>['template']>['spec']>;

const daemonSet = (spec: PodSpec, deletionTimestamp?: string): CachedDaemonSet => ({
  metadata: { name: 'ds', namespace: 'default', uid: 'ds', resourceVersion: '1', deletionTimestamp },
  spec: { template: { spec } },
});

interface Seen extends NodeTraits {
  taints?: Taint[];
  hasPod?: boolean;
}

function wants(spec: PodSpec, { taints = [], hasPod = true, ...traits }: Seen = {}): boolean {
  const seen = node('n1', traits);
  return wantsPodOn(pruneDaemonSet(daemonSet(spec)), { ...seen, spec: { taints } }, { hasPod });
}

const affinity = (...nodeSelectorTerms: NodeSelectorTerm[]): PodSpec => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const expression = (operator: string, values?: string[], key = 'gpu'): PodSpec =>
  affinity({ matchExpressions: [{ key, operator, values }] });
const field = (operator: string, values: string[]): PodSpec =>
  affinity({ matchFields: [{ key: 'metadata.name', operator, values }] });
const gpu = (value: string): Seen => ({ labels: { gpu: value } });

describe('Whether a DaemonSet wants a node follows from its selector', () => {
  test.each<[string, PodSpec, Seen, boolean]>([
    ['without any requirement', {}, {}, true],
    ['with a label that the node has', { nodeSelector: { gpu: 'a' } }, gpu('a'), true],
    ['with a label that the node has lost', { nodeSelector: { gpu: 'a' } }, {}, false],
    ['with a label that changed', { nodeSelector: { gpu: 'a' } }, gpu('b'), false],
    ['with the name of the node', { nodeName: 'n1' }, {}, true],
    ['with the name of another node', { nodeName: 'n2' }, {}, false],
    ['In', expression('In', ['a', 'b']), gpu('b'), true],
    ['In, and the label is missing', expression('In', ['a']), {}, false],
    ['NotIn', expression('NotIn', ['a']), gpu('a'), false],
    ['NotIn, and the label is missing', expression('NotIn', ['a']), {}, true],
    ['Exists', expression('Exists'), gpu(''), true],
    ['Exists, and the label is missing', expression('Exists'), {}, false],
    ['DoesNotExist', expression('DoesNotExist'), gpu('a'), false],
    ['Gt', expression('Gt', ['5']), gpu('10'), true],
    ['Gt of the same number', expression('Gt', ['5']), gpu('5'), false],
    ['Gt of no number', expression('Gt', ['5']), gpu('many'), false],
    ['Gt, and the label is missing', expression('Gt', ['5']), {}, false],
    ['Lt', expression('Lt', ['5']), gpu('-1'), true],
    ['an operator that is not known', expression('Near', ['5']), gpu('5'), false],
    ['the name as a field', field('In', ['n1']), {}, true],
    ['another name as a field', field('In', ['n2']), {}, false],
    ['not the name as a field', field('NotIn', ['n1']), {}, false],
    ['a term without requirements', affinity({}), {}, false],
    ['no terms', affinity(), {}, false],
    [
      'one of two terms',
      affinity(
        { matchExpressions: [{ key: 'x', operator: 'Exists' }] },
        { matchExpressions: [{ key: 'gpu', operator: 'Exists' }] },
      ),
      gpu('a'),
      true,
    ],
    [
      'a term of which one half does not match',
      affinity({
        matchExpressions: [{ key: 'gpu', operator: 'Exists' }],
        matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n2'] }],
      }),
      gpu('a'),
      false,
    ],
    ['both selector and affinity', { ...expression('Exists'), nodeSelector: { x: 'y' } }, gpu('a'), false],
  ])('%s', (_sentence, spec, seen, expected) => expect(wants(spec, seen)).toBe(expected));
});

const taint = (effect: string, key = 'dedicated', value?: string): Taint[] => [{ key, value, effect }];
const tolerating = (...tolerations: NonNullable<PodSpec['tolerations']>): PodSpec => ({ tolerations });

describe('Whether a DaemonSet wants a node follows from the taints', () => {
  test.each<[string, PodSpec, Seen, boolean]>([
    ['NoExecute', {}, { taints: taint('NoExecute') }, false],
    ['NoSchedule, without a pod on the node', {}, { taints: taint('NoSchedule'), hasPod: false }, false],
    ['NoSchedule, with a pod that may stay', {}, { taints: taint('NoSchedule') }, true],
    ['PreferNoSchedule', {}, { taints: taint('PreferNoSchedule'), hasPod: false }, true],
    [
      'a key that is tolerated',
      tolerating({ key: 'dedicated', operator: 'Exists' }),
      { taints: taint('NoExecute') },
      true,
    ],
    ['any key', tolerating({ operator: 'Exists' }), { taints: taint('NoExecute') }, true],
    ['no key, with operator Equal', tolerating({ value: '' }), { taints: taint('NoExecute') }, false],
    [
      'a value that is tolerated',
      tolerating({ key: 'dedicated', value: 'db' }),
      { taints: taint('NoExecute', 'dedicated', 'db') },
      true,
    ],
    [
      'another value',
      tolerating({ key: 'dedicated', operator: 'Equal', value: 'db' }),
      { taints: taint('NoExecute', 'dedicated', 'web') },
      false,
    ],
    [
      'another effect',
      tolerating({ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }),
      { taints: taint('NoExecute') },
      false,
    ],
    ...[
      'not-ready',
      'unreachable',
      'disk-pressure',
      'memory-pressure',
      'pid-pressure',
      'unschedulable',
      'network-unavailable',
    ].map((key): [string, PodSpec, Seen, boolean] => [
      `${key}, which the cluster sets and removes itself`,
      {},
      { taints: taint('NoSchedule', `node.kubernetes.io/${key}`), hasPod: false },
      true,
    ]),
  ])('%s', (_sentence, spec, seen, expected) => expect(wants(spec, seen)).toBe(expected));
});

test('A DaemonSet that is being deleted wants no node', () => {
  const set = pruneDaemonSet(daemonSet({}, '2026-06-01T12:00:00Z'));
  expect(wantsPodOn(set, node('n1'), { hasPod: true })).toBe(false);
});

test('The cache of DaemonSets keeps nothing of the containers', () => {
  const set = daemonSet({ nodeSelector: { a: 'b' }, containers: [{ name: 'c' }] } as PodSpec);
  expect(JSON.stringify(pruneDaemonSet(set))).not.toContain('containers');
  expect(pruneDaemonSet(pruneDaemonSet(set))).toEqual(pruneDaemonSet(set));
});
