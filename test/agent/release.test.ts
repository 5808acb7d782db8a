import { describe, expect, test } from '@jest/globals';
import { goArch, parseFields } from '../../api/release-text.js';
import { identify, releaseOf } from '../../agent/release.js';

describe('a release file is read as text', () => {
  test.each([
    ['bare values', 'A=1\nB=two', { A: '1', B: 'two' }],
    ['double quotes', 'A="one two"', { A: 'one two' }],
    ['single quotes', "A='one two'", { A: 'one two' }],
    ['protected characters inside double quotes', String.raw`A="a \"b\" \$c \\d"`, { A: String.raw`a "b" $c \d` }],
    ['export in front', 'export A="1"', { A: '1' }],
    ['comments, empty lines and nonsense', '# A=0\n\nnonsense\nA=1', { A: '1' }],
    ['a comment behind a value', 'A="1" # one\nB=2 # two', { A: '1', B: '2' }],
    ['line ends of Windows', 'A="1"\r\nB=\'2\'\r\n', { A: '1', B: '2' }],
    ['no newline at the end', 'A=1\nB=2', { A: '1', B: '2' }],
    ['an equals sign in the value', 'URL="https://x/?a=b"', { URL: 'https://x/?a=b' }],
    ['a hash inside quotes', 'A="#1"', { A: '#1' }],
    ['empty values', 'A=\nB=""', { A: '', B: '' }],
    ['the last of two equal keys', 'A=1\nA=2', { A: '2' }],
    ['a byte order mark', '\uFEFFA=1', { A: '1' }],
    ['a quote that never ends', 'A="1', { A: '1' }],
    ['nothing', '', {}],
    ['what a shell would run, as it stands', 'A="$(reboot)"\nB=`id`', { A: '$(reboot)', B: '`id`' }],
  ])('%s', (_sentence, text, fields) => expect(parseFields(text)).toEqual(fields));
});

describe('who this host is', () => {
  test('kairos-release speaks first, its keys without their prefix', () => {
    const kairosRelease = 'KAIROS_VERSION="v3.5.0"\nPLAIN=1';
    expect(identify({ kairosRelease, osRelease: 'ID=debian' })).toEqual({
      from: 'kairos-release',
      fields: { VERSION: 'v3.5.0' },
    });
  });
  test.each(['kairos', 'KAIROS', '"Kairos-core"', "'my-kairos'"])('os-release with ID=%s is Kairos as well', id => {
    expect(identify({ osRelease: `ID=${id}` })?.from).toBe('os-release');
  });
  test('an os-release of Kairos may carry the keys of the release', () => {
    expect(identify({ osRelease: 'ID=kairos\nKAIROS_VERSION=v2' })?.fields).toEqual({ VERSION: 'v2' });
  });
  test('an empty kairos-release says nothing', () => {
    expect(identify({ kairosRelease: '', osRelease: 'ID=kairos' })?.from).toBe('os-release');
    expect(identify({ kairosRelease: '\n', osRelease: 'ID=ubuntu' })).toBeUndefined();
  });
  test.each([{}, { osRelease: 'ID=debian\nNAME=kairos' }, { osRelease: '' }])('not Kairos: %j', files => {
    expect(identify(files)).toBeUndefined();
  });
});

describe('the release as it is reported', () => {
  const machine = { arch: 'arm64', trustedBoot: false };
  const of = (fields: Record<string, string>, on = machine) => releaseOf({ from: 'kairos-release', fields }, on);

  test('every key has its place and nothing is empty', () => {
    const fields = {
      VERSION: 'v3.5.0',
      SOFTWARE_VERSION: 'v1.34.1+k3s1',
      SOFTWARE_VERSION_PREFIX: 'k3s',
      ID: 'kairos',
      NAME: 'kairos-standard-debian-12',
      FAMILY: 'debian',
      FLAVOR: 'debian',
      FLAVOR_RELEASE: '12',
      VARIANT: 'standard',
      MODEL: '',
      ARCH: 'amd64',
      TRUSTED_BOOT: 'false',
      FIPS: 'true',
    };
    expect(of(fields)).toEqual({
      version: 'v3.5.0',
      softwareVersion: 'v1.34.1+k3s1',
      softwareVersionPrefix: 'k3s',
      id: 'kairos',
      name: 'kairos-standard-debian-12',
      family: 'debian',
      flavor: 'debian',
      flavorRelease: '12',
      variant: 'standard',
      arch: 'amd64',
      trustedBoot: false,
      fips: true,
    });
  });
  test('without KAIROS_ARCH the CPU of the host speaks', () => expect(of({}).arch).toBe('arm64'));
  test('a machine started from a unified image has trusted boot, whatever the file says', () => {
    expect(of({ TRUSTED_BOOT: 'false' }, { ...machine, trustedBoot: true }).trustedBoot).toBe(true);
    expect(of({ TRUSTED_BOOT: 'true' }).trustedBoot).toBe(true);
  });
  test.each([
    ['x86_64', 'amd64'],
    ['x64', 'amd64'],
    ['aarch64', 'arm64'],
    ['riscv64', 'riscv64'],
  ])('%s is %s in the words of Go', (word, go) => expect(goArch(word)).toBe(go));
});
