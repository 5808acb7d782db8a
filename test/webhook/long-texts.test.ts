/** Answers of the webhook to objects with very long names, keys and values. */
import { describe, expect, test } from '@jest/globals';
import { deny } from '../../webhook/review.js';
import { invalid } from '../../webhook/faults.js';
import { mutate, validate } from '../../webhook/admit.js';

const LONG = '_'.repeat(2_900_000);
const request = (spec: object, name = 'x') => ({
  uid: 'u',
  kind: { group: 'operator.kairos.io', version: 'v1alpha1', kind: 'NodeOp' },
  name,
  namespace: 'default',
  operation: 'CREATE' as const,
  object: { metadata: { name }, spec },
});

describe('an answer stays small', () => {
  test.each<[string, object]>([
    ['a long label key', { command: ['x'], nodeSelector: { matchLabels: { [LONG]: '-' } } }],
    ['a long value', { command: LONG }],
    ['a long unknown field', { command: ['x'], [LONG]: 1 }],
    ['a long name of an enum', { command: ['x'], drainOptions: { onTimeout: LONG } }],
    [
      'many long keys',
      {
        command: ['x'],
        nodeSelector: {
          matchLabels: Object.fromEntries(Array.from({ length: 18 }, (_, i) => [`${i}${LONG.slice(0, 150_000)}`, '-'])),
        },
      },
    ],
    [
      'a long operator',
      { command: ['x'], nodeSelector: { matchExpressions: [{ key: LONG, operator: LONG, values: [LONG] }] } },
    ],
  ])('for %s', (_, spec) => {
    for (const answer of [validate(request(spec)), mutate(request(spec))]) {
      const { patch = '', ...rest } = answer.response;
      expect(JSON.stringify(rest).length).toBeLessThan(30_000);
      expect(patch.length).toBeLessThan(10_000);
    }
  });

  test('for a long name of the object, and for many faults', () => {
    const faults = Array.from({ length: 100 }, (_, i) => invalid(['spec', LONG, i, LONG], LONG, LONG));
    expect(JSON.stringify(deny(request({}, LONG), faults)).length).toBeLessThan(200_000);
  });
});
