import { describe, expect, test } from '@jest/globals';
import { sanitizeLabelValue, NODE_KEYS, nodePatch } from '../../agent/labels.js';
import { identify } from '../../agent/release.js';

const kairos = (text: string) => identify({ kairosRelease: text });

describe('a sanitized label value', () => {
  test.each([
    ['keeps a valid text', 'v3.5.0', 'v3.5.0'],
    ['has "-" in place of invalid characters', 'v1.34.1+k3s1', 'v1.34.1-k3s1'],
    ['has "-" in place of spaces', 'open SUSE leap', 'open-SUSE-leap'],
    ['has "-" in place of non-ASCII characters', 'späße', 'sp--e'],
    ['is trimmed at both ends', '-._x_.-', 'x'],
    ['is truncated to 63 characters', 'a'.repeat(70), 'a'.repeat(63)],
    ['is trimmed again after truncation', `${'a'.repeat(62)}-${'b'.repeat(9)}`, 'a'.repeat(62)],
    ['is empty when no valid character is left', '+++', ''],
    ['is empty for an empty text', '', ''],
  ])('%s', (_sentence, text, value) => expect(sanitizeLabelValue(text)).toBe(value));
});

describe('the patch of the Node', () => {
  const everything = nodePatch(
    kairos(
      [
        'ID=kairos',
        'FAMILY=debian',
        'FLAVOR=ubuntu',
        'FLAVOR_RELEASE="24.04"',
        'VARIANT=standard',
        'RELEASE=v3.5.0',
        'MODEL="rpi 4"',
        'ARCH=arm64',
        'TRUSTED_BOOT=false',
        'FIPS=',
        'SOFTWARE_VERSION_PREFIX=k3s',
        'SOFTWARE_VERSION=v1.34.1+k3s1',
        "NAME='Kairos, standard'",
        'ID_LIKE="kairos-standard-ubuntu"',
        'INIT_VERSION=v0.16.1',
        'VERSION=v3.5.0+x',
        'BUG_REPORT_URL="https://x/issues"',
        'HOME_URL="https://x"',
      ]
        .map(line => `KAIROS_${line}`)
        .join('\n'),
    ),
    'active',
  ).metadata;

  test('contains the labels, sanitized', () => {
    expect(everything.labels).toEqual({
      'kairos.io/managed': 'true',
      'kairos.io/boot-state': 'active',
      'kairos.io/id': 'kairos',
      'kairos.io/family': 'debian',
      'kairos.io/flavor': 'ubuntu',
      'kairos.io/flavor-release': '24.04',
      'kairos.io/variant': 'standard',
      'kairos.io/release': 'v3.5.0',
      'kairos.io/model': 'rpi-4',
      'kairos.io/arch': 'arm64',
      'kairos.io/trusted-boot': 'false',
      'kairos.io/fips': null,
      'kairos.io/software-version-prefix': 'k3s',
      'kairos.io/software-version': 'v1.34.1-k3s1',
    });
  });
  test('contains the annotations verbatim', () => {
    expect(everything.annotations).toEqual({
      'kairos.io/name': 'Kairos, standard',
      'kairos.io/id-like': 'kairos-standard-ubuntu',
      'kairos.io/init-version': 'v0.16.1',
      'kairos.io/version': 'v3.5.0+x',
      'kairos.io/bug-report-url': 'https://x/issues',
      'kairos.io/home-url': 'https://x',
    });
  });
  test.each([
    ['kairos-release', kairos('KAIROS_ID=kairos')],
    ['no Kairos host', undefined],
    ['os-release only', identify({ osRelease: 'ID=kairos' })],
  ])('names exactly the documented keys: %s', (_sentence, identity) => {
    const { labels, annotations } = nodePatch(identity, 'unknown').metadata;
    expect(Object.keys(labels).toSorted()).toEqual(NODE_KEYS.labels.toSorted());
    expect(Object.keys(annotations).toSorted()).toEqual(NODE_KEYS.annotations.toSorted());
  });
  test('sets every label that has a key when os-release has the keys and is that of another distribution', () => {
    const osRelease = 'ID=ubuntu\nKAIROS_ID=kairos\nKAIROS_VERSION=v3.1.2\nKAIROS_FLAVOR=ubuntu';
    const { labels, annotations } = nodePatch(identify({ osRelease }), 'active').metadata;
    const set = Object.entries({ ...labels, ...annotations }).filter(([, value]) => value !== null);
    expect(Object.fromEntries(set)).toEqual({
      'kairos.io/managed': 'true',
      'kairos.io/boot-state': 'active',
      'kairos.io/id': 'kairos',
      'kairos.io/flavor': 'ubuntu',
      'kairos.io/version': 'v3.1.2',
    });
  });
  test('sets only managed and boot-state for a host that only os-release identifies', () => {
    const identity = identify({ osRelease: 'ID=kairos\nKAIROS_VERSION=v2\nKAIROS_FLAVOR=debian' });
    const { labels, annotations } = nodePatch(identity, 'passive').metadata;
    const set = Object.entries({ ...labels, ...annotations }).filter(([, value]) => value !== null);
    expect(Object.fromEntries(set)).toEqual({ 'kairos.io/managed': 'true', 'kairos.io/boot-state': 'passive' });
  });
  test('removes every key for a host that is not Kairos', () => {
    const { labels, annotations } = nodePatch(undefined, 'unknown').metadata;
    expect(new Set([...Object.values(labels), ...Object.values(annotations)])).toEqual(new Set([null]));
  });
});
