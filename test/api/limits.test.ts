import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { cut, cutName } from '../../api/cut.js';
import { countValues, limitViolation, parseNested } from '../../api/json-limits.js';

describe('a text in a message', () => {
  test('is unchanged up to the limit and cut beyond it', () => {
    expect(cut('x'.repeat(1024))).toHaveLength(1024);
    expect(cut('x'.repeat(1025))).toBe(`${'x'.repeat(1023)}…`);
    expect(cutName('y'.repeat(1_000_000))).toHaveLength(320);
    expect(cut('abcdef', 4)).toBe('abc…');
  });

  test('is not cut inside a character of two code units', () => {
    expect(cut('ab😀cd', 4)).toBe('ab…');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 40 }), (text, limit) => {
        const short = cut(text, limit);
        expect(short.length).toBeLessThanOrEqual(limit);
        expect(short).not.toMatch(/[\uD800-\uDBFF]…$/);
      }),
    );
  });
});

describe('a JSON text inside an object', () => {
  test('is parsed like any other within the limits', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), value => {
        const text = JSON.stringify(value);
        expect(parseNested(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each<[string, string]>([
    ['no JSON', '{'],
    ['nested 101 deep', '['.repeat(101) + ']'.repeat(101)],
    ['nested a million deep', '['.repeat(1_000_000) + ']'.repeat(1_000_000)],
    ['of more than 20,000 values', JSON.stringify(Array.from({ length: 20_001 }, () => 1))],
    ['of more than 20,000 lists and objects', JSON.stringify(Array.from({ length: 10_001 }, () => ({})))],
    ['of more than 256 KiB', JSON.stringify('x'.repeat(256 * 1024))],
    ['of more than 256 KiB in UTF-8', JSON.stringify('ä'.repeat(200 * 1024))],
  ])('is not parsed when it is %s', (_title, text) => expect(parseNested(text)).toBeUndefined());

  test('is judged by what is outside its strings, whatever they contain', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('\\', '"', '[', '{', ',', 'a', 'é')), letters => {
        const text = JSON.stringify([letters.join(''), 1]);
        expect(limitViolation(Buffer.from(text), 3)).toBeUndefined();
        expect(limitViolation(Buffer.from(text), 1)).toBeDefined();
      }),
    );
  });

  test('is scanned in linear time although it consists of backslashes and quotes', () => {
    for (const piece of ['\\', '\\"', '"', '\\\\"'])
      expect(limitViolation(Buffer.from(`"${piece.repeat(1_000_000)}`), 10)).toBeUndefined();
  });
});

test('values are counted up to the limit', () => {
  expect(countValues({ a: [1, { b: 2 }] }, 10)).toBe(5);
  expect(
    countValues(
      Array.from({ length: 1_000 }, () => 1),
      10,
    ),
  ).toBe(11);
});
