import { describe, expect, test } from '@jest/globals';
import { REASON_NAMES, REASONS } from '../../api/reasons.js';
import { boundedName, boundedLabelValue, shortHash } from '../../api/resource-name.js';
import { versionTriple } from '../../api/version-triple.js';
import type { Release } from '../../api/release.js';

const RFC_1123_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

describe('The bounded name of an object', () => {
  test.each([
    ['short', 'op-n1'],
    ['52 characters', 'a'.repeat(52)],
    ['53 characters', 'a'.repeat(53)],
    ['253 characters', 'a'.repeat(253)],
    ['with dots', 'op-n1.rack.example'],
    ['a dot where it is truncated', `${'a'.repeat(51)}.b`],
    ['many dots and dashes where it is truncated', `a${'.-'.repeat(60)}b`],
  ])('is an RFC 1123 label: %s', (_sentence, readable) => {
    expect(boundedName(readable, 'uid')).toMatch(RFC_1123_LABEL);
  });

  test('starts with the readable name and ends with a hash', () => {
    expect(boundedName('op-n1.rack', 'uid')).toMatch(/^op-n1-rack-[0-9a-f]{10}$/);
  });

  test('is the same for the same input', () => expect(boundedName('a', 'b')).toBe(boundedName('a', 'b')));

  test.each([
    ['another identity', boundedName('op', '1'), boundedName('op', '2')],
    ['names that differ after the truncation', boundedName(`${'a'.repeat(99)}1`), boundedName(`${'a'.repeat(99)}2`)],
    ['names that differ only by a dot', boundedName('a.b'), boundedName('a-b')],
    ['parts that are equal only when joined', boundedName('x', 'ab', 'c'), boundedName('x', 'a', 'bc')],
  ])('differs for %s', (_sentence, one, other) => expect(one).not.toBe(other));

  test('has a hash of ten characters', () => expect(shortHash('x')).toMatch(/^[0-9a-f]{10}$/));
});

describe('The bounded label value of a name', () => {
  test.each(['op', 'n1.rack.example', 'a'.repeat(63)])('is the name itself up to 63 characters: %s', name =>
    expect(boundedLabelValue(name)).toBe(name),
  );

  test.each(['a'.repeat(64), 'a'.repeat(253), `${'a'.repeat(51)}.${'b'.repeat(99)}`])(
    'is truncated and hashed when the name is longer: %s',
    name => {
      expect(boundedLabelValue(name)).toMatch(/^[a-z0-9.-]{1,52}-[0-9a-f]{10}$/);
      expect(boundedLabelValue(name)).not.toMatch(/[.-]-[0-9a-f]{10}$/);
    },
  );

  test('differs for long names that differ at the end', () =>
    expect(boundedLabelValue(`${'a'.repeat(99)}1`)).not.toBe(boundedLabelValue(`${'a'.repeat(99)}2`)));
});

describe('The version triple', () => {
  test.each<[string, Release | undefined, string | undefined]>([
    ['is undefined without a release', undefined, undefined],
    ['is undefined without a version', { softwareVersion: 'v1.34.1' }, undefined],
    ['is the version without software', { version: 'v3.5.0' }, 'v3.5.0'],
    ['includes the software version', { version: 'v3.5.0', softwareVersion: 'v1.34.1+k3s1' }, 'v3.5.0-v1.34.1+k3s1'],
    [
      'includes the software version and its prefix',
      { version: 'v3.5.0', softwareVersion: 'v1.34.1', softwareVersionPrefix: 'k3s' },
      'v3.5.0-k3sv1.34.1',
    ],
  ])('%s', (_sentence, release, triple) => expect(versionTriple(release)).toBe(triple));
});

describe('Reasons', () => {
  test.each(REASON_NAMES)('include %s as one CamelCase word with an explanation', reason => {
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(reason.length).toBeLessThanOrEqual(128);
    expect(REASONS[reason]).toMatch(/^[A-Z].*\.$/);
  });
});
