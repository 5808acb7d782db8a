import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { cutStart, cutText, cutTexts, MAX_TEXT_BYTES } from '../../program/cut-text.js';

const texts = fc.string({ unit: 'grapheme', maxLength: 400 });
const limits = fc.integer({ min: 64, max: 400 });

describe('a text', () => {
  test('that fits is not changed', () => {
    fc.assert(
      fc.property(texts, text => {
        expect(cutText(text, 10_000)).toBe(text);
        expect(cutStart(text, 10_000)).toBe(text);
      }),
    );
  });

  test('that does not fit is cut between two characters, with the number of bytes left out', () => {
    fc.assert(
      fc.property(texts, limits, (text, limit) => {
        const cut = cutText(text, limit);
        if (cut === text) return;
        const [, kept = '', omitted] = /^(.*) … \((\d+) more bytes\)$/s.exec(cut) ?? [];
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
        expect(text.startsWith(kept)).toBe(true);
        expect(kept).not.toMatch(/[\ud800-\udbff]$/);
        expect(Buffer.byteLength(kept) + Number(omitted)).toBe(Buffer.byteLength(text));
      }),
    );
  });

  test('of which the end matters is cut at its start', () => {
    fc.assert(
      fc.property(texts, limits, (text, limit) => {
        const cut = cutStart(text, limit);
        if (cut === text) return;
        const [, omitted, kept = ''] = /^\((\d+) bytes before\) … (.*)$/s.exec(cut) ?? [];
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
        expect(text.endsWith(kept)).toBe(true);
        expect(Buffer.byteLength(kept) + Number(omitted)).toBe(Buffer.byteLength(text));
      }),
    );
  });

  test('of megabytes is cut at once', () => {
    const start = performance.now();
    for (const unit of ['x', '漢', '🙂'])
      expect(Buffer.byteLength(cutText(unit.repeat(3_000_000)))).toBeLessThanOrEqual(1024);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

test('texts in lists, fields and names of fields are cut, and long lists and deep objects end early', () => {
  const long = 'x'.repeat(100_000);
  const deep = { a: { b: { c: { d: { e: long } } } } };
  const value = cutTexts({
    [long]: long,
    list: Array.from({ length: 1_000 }, () => long),
    deep,
    number: 1,
    none: null,
  });
  expect(JSON.stringify(value).length).toBeLessThan(50 * MAX_TEXT_BYTES);
  expect(value).toMatchObject({ number: 1, none: null });
});
