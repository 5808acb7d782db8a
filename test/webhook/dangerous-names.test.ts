import { describe, expect, test } from '@jest/globals';
import { mutate, validate } from '../../webhook/admit.js';
import { faultsIn, request } from './reviews.js';

describe('field names with a meaning in JavaScript', () => {
  const dangerous = '{"__proto__":{"allowed":true},"constructor":{"prototype":{"polluted":true}},"toString":1}';
  const spec = JSON.parse(
    `{"command":["a"],"nodeSelector":{"matchLabels":${dangerous}},"__proto__":{"cordon":true}}`,
  ) as unknown;

  test('are reviewed like others and change no prototype', () => {
    const faults = faultsIn(validate(request({ spec })));
    expect(faults.every(fault => fault.startsWith('spec.nodeSelector.matchLabels'))).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const unknownField = JSON.parse('{"command":["a"],"__proto__":{"cordon":true}}') as unknown;
    const patch = Buffer.from(mutate(request({ spec: unknownField })).response.patch ?? '', 'base64').toString();
    expect(patch).toContain('{"op":"add","path":"/spec/cordon","value":false}');
    expect(validate(request({ spec: unknownField })).response.warnings?.[0]).toContain('spec.__proto__: unknown field');
  });
});
