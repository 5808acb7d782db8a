import { describe, expect, test } from '@jest/globals';
import { REASON_NAMES, REASONS } from '../../api/reasons.js';
import { boundedName, boundedLabelValue, shortHash } from '../../api/resource-name.js';
import { versionTriple } from '../../api/version-triple.js';
import type { Release } from '../../api/release.js';

const RFC_1123_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

describe('The name of an object that we make', () => {
  test.each([
    ['a short one', 'op-n1'],
    ['one of 52 characters', 'a'.repeat(52)],
    ['one of 53 characters', 'a'.repeat(53)],
    ['one of 253 characters', 'a'.repeat(253)],
    ['one with dots', 'op-n1.rack.example'],
    ['a dot at the cut', `${'a'.repeat(51)}.b`],
    ['many dots and dashes at the cut', `a${'.-'.repeat(60)}b`],
  ])('is a label of RFC 1123: %s', (_sentence, readable) => {
    expect(boundedName(readable, 'uid')).toMatch(RFC_1123_LABEL);
  });

  test('begins as a person would call it and ends in a hash', () => {
    expect(boundedName('op-n1.rack', 'uid')).toMatch(/^op-n1-rack-[0-9a-f]{10}$/);
  });

  test('is the same each time', () => expect(boundedName('a', 'b')).toBe(boundedName('a', 'b')));

  test.each([
    ['for another identity', boundedName('op', '1'), boundedName('op', '2')],
    ['for names that differ behind the cut', boundedName(`${'a'.repeat(99)}1`), boundedName(`${'a'.repeat(99)}2`)],
    ['for names that differ by a dot only', boundedName('a.b'), boundedName('a-b')],
    ['for parts that only together are the same', boundedName('x', 'ab', 'c'), boundedName('x', 'a', 'bc')],
  ])('is another one %s', (_sentence, one, other) => expect(one).not.toBe(other));

  test('has hashes of ten characters', () => expect(shortHash('x')).toMatch(/^[0-9a-f]{10}$/));
});

describe('A name as label value', () => {
  test.each(['op', 'n1.rack.example', 'a'.repeat(63)])('is itself where it fits: %s', name =>
    expect(boundedLabelValue(name)).toBe(name),
  );

  test.each(['a'.repeat(64), 'a'.repeat(253), `${'a'.repeat(51)}.${'b'.repeat(99)}`])(
    'is hashed where it is longer: %s',
    name => {
      expect(boundedLabelValue(name)).toMatch(/^[a-z0-9.-]{1,52}-[0-9a-f]{10}$/);
      expect(boundedLabelValue(name)).not.toMatch(/[.-]-[0-9a-f]{10}$/);
    },
  );

  test('tells long names apart', () =>
    expect(boundedLabelValue(`${'a'.repeat(99)}1`)).not.toBe(boundedLabelValue(`${'a'.repeat(99)}2`)));
});

describe('The version triple', () => {
  test.each<[string, Release | undefined, string | undefined]>([
    ['of nothing', undefined, undefined],
    ['without a version', { softwareVersion: 'v1.34.1' }, undefined],
    ['without software', { version: 'v3.5.0' }, 'v3.5.0'],
    ['with software', { version: 'v3.5.0', softwareVersion: 'v1.34.1+k3s1' }, 'v3.5.0-v1.34.1+k3s1'],
    [
      'with software and its name',
      { version: 'v3.5.0', softwareVersion: 'v1.34.1', softwareVersionPrefix: 'k3s' },
      'v3.5.0-k3sv1.34.1',
    ],
  ])('%s', (_sentence, release, triple) => expect(versionTriple(release)).toBe(triple));
});

describe('Reasons', () => {
  test.each(REASON_NAMES)('%s is one word in CamelCase, with a sentence', reason => {
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(reason.length).toBeLessThanOrEqual(128);
    expect(REASONS[reason]).toMatch(/^[A-Z].*\.$/);
  });
});
