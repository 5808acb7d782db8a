import { describe, expect, test } from '@jest/globals';
import { labelValue, NODE_KEYS, nodePatch } from '../../agent/labels.js';
import { identify } from '../../agent/release.js';

const kairos = (text: string) => identify({ kairosRelease: text });

describe('a label value keeps the rules of Kubernetes', () => {
  test.each([
    ['as it stands', 'v3.5.0', 'v3.5.0'],
    ['illegal characters become "-"', 'v1.34.1+k3s1', 'v1.34.1-k3s1'],
    ['spaces too', 'open SUSE leap', 'open-SUSE-leap'],
    ['characters beyond ASCII too', 'späße', 'sp--e'],
    ['ends are trimmed', '-._x_.-', 'x'],
    ['cut at 63', 'a'.repeat(70), 'a'.repeat(63)],
    ['trimmed again after the cut', `${'a'.repeat(62)}-${'b'.repeat(9)}`, 'a'.repeat(62)],
    ['nothing left', '+++', ''],
    ['empty', '', ''],
  ])('%s', (_sentence, text, value) => expect(labelValue(text)).toBe(value));
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

  test('labels, sanitised', () => {
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
  test('annotations, verbatim', () => {
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
    ['all values', kairos('KAIROS_ID=kairos')],
    ['none', undefined],
    ['a fallback', identify({ osRelease: 'ID=kairos' })],
  ])('names every key of the contract and no other: %s', (_sentence, identity) => {
    const { labels, annotations } = nodePatch(identity, 'unknown').metadata;
    expect(Object.keys(labels).toSorted()).toEqual(NODE_KEYS.labels.toSorted());
    expect(Object.keys(annotations).toSorted()).toEqual(NODE_KEYS.annotations.toSorted());
  });
  test('known by os-release alone: managed and boot-state, whatever else that file says', () => {
    const identity = identify({ osRelease: 'ID=kairos\nKAIROS_VERSION=v2\nKAIROS_FLAVOR=debian' });
    const { labels, annotations } = nodePatch(identity, 'passive').metadata;
    const set = Object.entries({ ...labels, ...annotations }).filter(([, value]) => value !== null);
    expect(Object.fromEntries(set)).toEqual({ 'kairos.io/managed': 'true', 'kairos.io/boot-state': 'passive' });
  });
  test('not Kairos: every key goes', () => {
    const { labels, annotations } = nodePatch(undefined, 'unknown').metadata;
    expect(new Set([...Object.values(labels), ...Object.values(annotations)])).toEqual(new Set([null]));
  });
});
