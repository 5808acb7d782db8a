import { describe, expect, test } from '@jest/globals';
import { seconds, table, truncate } from '../../demo/table.js';

describe('the columns of a table', () => {
  test('are as wide as their longest cell, without trailing spaces', () =>
    expect(
      table([
        ['a', 'long', 'x'],
        ['bcd', 'e'],
        ['f', '', 'y'],
      ]),
    ).toEqual(['a    long  x', 'bcd  e', 'f          y']));
  test('are empty for a table without rows', () => expect(table([])).toEqual([]));
});

test.each([
  ['fits', 4, 'fits'],
  ['too long', 4, 'too…'],
  ['x', 0, ''],
])('the line %p is truncated to %i columns as %p', (line, width, expected) =>
  expect(truncate(line, width).slice(0, width)).toBe(expected),
);

test.each([
  [0, '0.0 s'],
  [1249, '1.2 s'],
  [undefined, ''],
])('%p milliseconds are formatted as %p', (ms, text) => expect(seconds(ms)).toBe(text));
