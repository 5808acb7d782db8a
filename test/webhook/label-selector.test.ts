import { describe, expect, test } from '@jest/globals';
import { validate } from '../../webhook/admit.js';
import { keyFault, labelValueFault } from '../../webhook/label-selector.js';
import { faultsIn, request } from './reviews.js';

const ok = { command: ['true'] };
const selector = (one: object) => ({ ...ok, nodeSelector: { matchExpressions: [one] } });
const labels = (matchLabels: unknown) => ({ ...ok, nodeSelector: { matchLabels } });
const LABEL_RULE = 'must consist of letters, digits, "-", "_" or ".", and must start and end with a letter or digit';

describe('a rejected node selector', () => {
  test.each<[string, unknown, string[]]>([
    [
      'an unknown operator',
      selector({ key: 'a', operator: 'Has' }),
      [
        'spec.nodeSelector.matchExpressions[0].operator: Unsupported value: "Has": supported values: "In", "NotIn", "Exists", "DoesNotExist"',
      ],
    ],
    ['no operator', selector({ key: 'a' }), ['spec.nodeSelector.matchExpressions[0].operator: Required value']],
    [
      'In without values',
      selector({ key: 'a', operator: 'In' }),
      [
        'spec.nodeSelector.matchExpressions[0].values: Required value: must contain at least one value when operator is In',
      ],
    ],
    [
      'NotIn with no values',
      selector({ key: 'a', operator: 'NotIn', values: [] }),
      [
        'spec.nodeSelector.matchExpressions[0].values: Required value: must contain at least one value when operator is NotIn',
      ],
    ],
    [
      'Exists with values',
      selector({ key: 'a', operator: 'Exists', values: ['b'] }),
      ['spec.nodeSelector.matchExpressions[0].values: Forbidden: may not be specified when operator is Exists'],
    ],
    [
      'DoesNotExist with values',
      selector({ key: 'a', operator: 'DoesNotExist', values: ['b'] }),
      ['spec.nodeSelector.matchExpressions[0].values: Forbidden: may not be specified when operator is DoesNotExist'],
    ],
    [
      'an invalid label value',
      selector({ key: 'a', operator: 'In', values: ['b', 'c d'] }),
      [`spec.nodeSelector.matchExpressions[0].values[1]: Invalid value: "c d": ${LABEL_RULE}`],
    ],
    [
      'an invalid label key',
      selector({ key: '-a', operator: 'Exists' }),
      [`spec.nodeSelector.matchExpressions[0].key: Invalid value: "-a": name part ${LABEL_RULE}`],
    ],
    [
      'an empty key',
      selector({ key: '', operator: 'Exists' }),
      ['spec.nodeSelector.matchExpressions[0].key: Invalid value: "": name part must not be empty'],
    ],
    [
      'two slashes in a key',
      labels({ 'a/b/c': 'd' }),
      ['spec.nodeSelector.matchLabels: Invalid value: "a/b/c": must contain at most one "/" (prefix/name)'],
    ],
    [
      'capitals in the prefix of a key',
      labels({ 'Kairos.io/a': 'd' }),
      [
        'spec.nodeSelector.matchLabels: Invalid value: "Kairos.io/a": prefix part must be a lower-case DNS subdomain of at most 253 characters',
      ],
    ],
    [
      'a prefix alone',
      labels({ 'kairos.io/': 'd' }),
      ['spec.nodeSelector.matchLabels: Invalid value: "kairos.io/": name part must not be empty'],
    ],
    [
      'a long label value',
      labels({ 'kairos.io/managed': 'a'.repeat(64) }),
      [
        `spec.nodeSelector.matchLabels[kairos.io/managed]: Invalid value: "${'a'.repeat(64)}": must have at most 63 characters`,
      ],
    ],
    [
      'a boolean as label value',
      labels({ 'kairos.io/managed': true }),
      ['spec.nodeSelector.matchLabels[kairos.io/managed]: Invalid value: true: must be a string'],
    ],
    ['a list as labels', labels(['a']), ['spec.nodeSelector.matchLabels: Invalid value: ["a"]: must be an object']],
  ])('is reported for %s', (_title, spec, faults) => expect(faultsIn(validate(request({ spec })))).toEqual(faults));
});

describe('an accepted node selector', () => {
  test.each<[string, unknown]>([
    ['an empty label value', labels({ 'node-role.kubernetes.io/control-plane': '' })],
    ['an operator with values', selector({ key: 'kairos.io/arch', operator: 'In', values: ['amd64', ''] })],
    ['an operator without values', selector({ key: 'kairos.io/arch', operator: 'DoesNotExist' })],
  ])('can have %s', (_title, spec) => expect(faultsIn(validate(request({ spec })))).toEqual([]));

  test('reports a wrong type once', () =>
    expect(faultsIn(validate(request({ spec: { ...ok, nodeSelector: { matchExpressions: 'all' } } })))).toEqual([
      'spec.nodeSelector.matchExpressions: Invalid value: "all": must be a list',
    ]));
});

test.each([
  ['a', true],
  ['kairos.io/managed', true],
  ['A.b_c-9', true],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
  [`${'a'.repeat(253)}/b`, true],
  [`${'a'.repeat(254)}/b`, false],
  ['a..b/c', false],
  ['/a', false],
  ['a_', false],
])('the label key "%s" is validated as by the API server', (key, isValid) =>
  expect(keyFault(key) === undefined).toBe(isValid),
);

test.each([
  ['', true],
  ['v3.6.0', true],
  ['-v3', false],
  ['a/b', false],
])('the label value "%s" is validated as by the API server', (value, isValid) =>
  expect(labelValueFault(value) === undefined).toBe(isValid),
);
