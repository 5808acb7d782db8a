import { describe, expect, test } from '@jest/globals';
import { parseRelease, releaseFileIndex } from '../../api/release-text.js';

describe('a parsed release file', () => {
  test.each([
    ['has a plain value', 'KAIROS_VERSION=v4.0.3', { version: 'v4.0.3' }],
    ['has a value without its double quotes', 'KAIROS_VERSION="v4.0.3"', { version: 'v4.0.3' }],
    ['has a value without its single quotes', "KAIROS_FLAVOR='debian'", { flavor: 'debian' }],
    ['has a value after export', 'export KAIROS_VERSION=v1', { version: 'v1' }],
    [
      'may have Windows line ends',
      'KAIROS_VERSION=v1\r\nKAIROS_FLAVOR=debian\r\n',
      { version: 'v1', flavor: 'debian' },
    ],
    ['ignores comments', '# KAIROS_VERSION=v0\nKAIROS_VERSION=v1 # now', { version: 'v1' }],
    ['has the last value of a repeated key', 'KAIROS_VERSION=v1\nKAIROS_VERSION=v2', { version: 'v2' }],
    ['omits empty values', 'KAIROS_VERSION=v1\nKAIROS_SOFTWARE_VERSION=""', { version: 'v1' }],
    ['keeps an escaped quote', 'KAIROS_NAME="my \\"own\\" one"', { name: 'my "own" one' }],
    ['keeps shell substitutions as text', 'KAIROS_VERSION=$(reboot)', { version: '$(reboot)' }],
    ['has GOARCH names', 'KAIROS_ARCH=x86_64', { arch: 'amd64' }],
    ['has an unknown architecture unchanged, whatever its name', 'KAIROS_ARCH=constructor', { arch: 'constructor' }],
    ['reads true and fips as true', 'KAIROS_TRUSTED_BOOT=true\nKAIROS_FIPS=fips', { trustedBoot: true, fips: true }],
    ['reads any other value as false', 'KAIROS_TRUSTED_BOOT=false', { trustedBoot: false }],
    ['is undefined for another distribution', 'ID=debian\nVERSION_ID=12', undefined],
    ['is undefined when all values are empty', 'KAIROS_VERSION=', undefined],
    ['is undefined when the file is empty', '', undefined],
  ])('%s', (_sentence, text, release) => expect(parseRelease(text)).toEqual(release));

  test('has all known keys and ignores unknown ones', () => {
    const text = [
      'KAIROS_ID="kairos"',
      'KAIROS_VERSION="v3.5.0"',
      'KAIROS_SOFTWARE_VERSION="v1.34.4+k3s1"',
      'KAIROS_SOFTWARE_VERSION_PREFIX="k3s"',
      'KAIROS_UNKNOWN="x"',
    ].join('\n');
    expect(parseRelease(text)).toEqual({
      id: 'kairos',
      version: 'v3.5.0',
      softwareVersion: 'v1.34.4+k3s1',
      softwareVersionPrefix: 'k3s',
    });
  });
});

describe('the file that the release is read from', () => {
  const [VERSION, ID, FLAVOR, EMPTY] = [{ VERSION: 'v1' }, { ID: 'kairos' }, { FLAVOR: 'debian' }, { VERSION: '' }];
  test.each([
    ['the first one with a version', [VERSION, VERSION], 0],
    ['the first one with an id', [ID, VERSION], 0],
    ['the second one, when only that has a version', [FLAVOR, VERSION], 1],
    ['the second one, when the value in the first one is empty', [EMPTY, VERSION], 1],
    ['the first one with any value, when none has id or version', [FLAVOR, FLAVOR], 0],
    ['the second one, when the first one is empty', [{}, ID], 1],
    ['none, when all values are empty', [EMPTY, {}], -1],
  ])('is %s', (_sentence, files, index) => expect(releaseFileIndex(files)).toBe(index));
});

test('The values of a release file are read in time in proportion to its length', () => {
  const spaces = ' '.repeat(1_000_000);
  expect(parseRelease(`KAIROS_NAME=a${spaces}b\nKAIROS_ID=kairos`)).toEqual({ id: 'kairos' });
  const lines = `KAIROS_NAME=a${' '.repeat(8_000)}b\n`.repeat(125);
  expect(parseRelease(`${lines}KAIROS_NAME=b   # now`)).toEqual({ name: 'b' });
});
