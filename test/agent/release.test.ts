import { describe, expect, test } from '@jest/globals';
import { goArch, parseFields } from '../../api/release-text.js';
import { identify, hostRelease } from '../../agent/release.js';

describe('a release file is parsed as text, with', () => {
  test.each([
    ['bare values', 'A=1\nB=two', { A: '1', B: 'two' }],
    ['double quotes', 'A="one two"', { A: 'one two' }],
    ['single quotes', "A='one two'", { A: 'one two' }],
    ['escaped characters inside double quotes', String.raw`A="a \"b\" \$c \\d"`, { A: String.raw`a "b" $c \d` }],
    ['export before the key', 'export A="1"', { A: '1' }],
    ['comments, empty lines and invalid lines', '# A=0\n\nnonsense\nA=1', { A: '1' }],
    ['a comment after a value', 'A="1" # one\nB=2 # two', { A: '1', B: '2' }],
    ['Windows line ends', 'A="1"\r\nB=\'2\'\r\n', { A: '1', B: '2' }],
    ['no newline at the end', 'A=1\nB=2', { A: '1', B: '2' }],
    ['an equals sign in the value', 'URL="https://x/?a=b"', { URL: 'https://x/?a=b' }],
    ['a hash inside quotes', 'A="#1"', { A: '#1' }],
    ['empty values', 'A=\nB=""', { A: '', B: '' }],
    ['a repeated key, of which the last counts', 'A=1\nA=2', { A: '2' }],
    ['a byte order mark', '\uFEFFA=1', { A: '1' }],
    ['an unterminated quote', 'A="1', { A: '1' }],
    ['no content', '', {}],
    ['shell substitutions, which stay text', 'A="$(reboot)"\nB=`id`', { A: '$(reboot)', B: '`id`' }],
  ])('%s', (_sentence, text, fields) => expect(parseFields(text)).toEqual(fields));
});

describe('the identity of the host', () => {
  test('comes from kairos-release first, with its keys without prefix', () => {
    const kairosRelease = 'KAIROS_VERSION="v3.5.0"\nPLAIN=1';
    expect(identify({ kairosRelease, osRelease: 'ID=debian' })).toEqual({
      from: 'kairos-release',
      fields: { VERSION: 'v3.5.0' },
    });
  });
  test.each(['kairos', 'KAIROS', '"Kairos-core"', "'my-kairos'"])('is Kairos when os-release has ID=%s', id => {
    expect(identify({ osRelease: `ID=${id}` })?.from).toBe('os-release');
  });
  test('includes the KAIROS_ keys of os-release', () => {
    expect(identify({ osRelease: 'ID=kairos\nKAIROS_VERSION=v2' })?.fields).toEqual({ VERSION: 'v2' });
  });
  test.each([
    ['no kairos-release exists', undefined],
    ['kairos-release is empty', ''],
    ['kairos-release has only empty values', 'KAIROS_VERSION=""'],
    ['kairos-release has neither id nor version', 'KAIROS_MODEL=generic'],
  ])('comes from the KAIROS_ keys of os-release, whatever its ID, when %s', (_sentence, kairosRelease) => {
    const osRelease = 'ID=ubuntu\nKAIROS_ID="kairos"\nKAIROS_VERSION="v3.1.2"';
    expect(identify({ kairosRelease, osRelease })).toEqual({
      from: 'os-release',
      fields: { ID: 'kairos', VERSION: 'v3.1.2' },
    });
  });
  test.each(['KAIROS_ID=kairos', 'KAIROS_VERSION=v1', 'export KAIROS_VERSION="v1"'])(
    'comes from os-release with only %s',
    line => expect(identify({ osRelease: `ID=ubuntu\n${line}` })?.from).toBe('os-release'),
  );
  test('comes from os-release when kairos-release is empty', () => {
    expect(identify({ kairosRelease: '', osRelease: 'ID=kairos' })?.from).toBe('os-release');
    expect(identify({ kairosRelease: '\n', osRelease: 'ID=ubuntu' })).toBeUndefined();
  });
  test.each([
    {},
    { osRelease: 'ID=debian\nNAME=kairos' },
    { osRelease: '' },
    { osRelease: 'ID=ubuntu\nKAIROS_VERSION=""' },
  ])('does not exist for a host that is not Kairos: %j', files => {
    expect(identify(files)).toBeUndefined();
  });
});

describe('the reported release', () => {
  const machine = { arch: 'arm64', trustedBoot: false };
  const reported = (fields: Record<string, string>, on = machine) =>
    hostRelease({ from: 'kairos-release', fields }, on);

  test('maps every key and omits empty values', () => {
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
    expect(reported(fields)).toEqual({
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
  test('takes the architecture of the host without KAIROS_ARCH', () => expect(reported({}).arch).toBe('arm64'));
  test('has trusted boot when the machine started from a Unified Kernel Image, whatever the file says', () => {
    expect(reported({ TRUSTED_BOOT: 'false' }, { ...machine, trustedBoot: true }).trustedBoot).toBe(true);
    expect(reported({ TRUSTED_BOOT: 'true' }).trustedBoot).toBe(true);
  });
  test.each([
    ['x86_64', 'amd64'],
    ['x64', 'amd64'],
    ['aarch64', 'arm64'],
    ['riscv64', 'riscv64'],
  ])('spells %s as %s, like Go', (word, go) => expect(goArch(word)).toBe(go));
});
