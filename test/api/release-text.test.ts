import { describe, expect, test } from '@jest/globals';
import { parseRelease } from '../../api/release-text.js';

describe('what a release file says', () => {
  test.each([
    ['a plain value', 'KAIROS_VERSION=v4.0.3', { version: 'v4.0.3' }],
    ['double quotes go', 'KAIROS_VERSION="v4.0.3"', { version: 'v4.0.3' }],
    ['single quotes go', "KAIROS_FLAVOR='debian'", { flavor: 'debian' }],
    ['an export is a value too', 'export KAIROS_VERSION=v1', { version: 'v1' }],
    [
      'lines may end as on other systems',
      'KAIROS_VERSION=v1\r\nKAIROS_FLAVOR=debian\r\n',
      { version: 'v1', flavor: 'debian' },
    ],
    ['comments are passed over', '# KAIROS_VERSION=v0\nKAIROS_VERSION=v1 # now', { version: 'v1' }],
    ['the last of two holds', 'KAIROS_VERSION=v1\nKAIROS_VERSION=v2', { version: 'v2' }],
    ['empty values are absent', 'KAIROS_VERSION=v1\nKAIROS_SOFTWARE_VERSION=""', { version: 'v1' }],
    ['a protected quote stays', 'KAIROS_NAME="my \\"own\\" one"', { name: 'my "own" one' }],
    ['nothing is executed', 'KAIROS_VERSION=$(reboot)', { version: '$(reboot)' }],
    ['CPUs are named in Go words', 'KAIROS_ARCH=x86_64', { arch: 'amd64' }],
    ['words for yes', 'KAIROS_TRUSTED_BOOT=true\nKAIROS_FIPS=fips', { trustedBoot: true, fips: true }],
    ['any other word is no', 'KAIROS_TRUSTED_BOOT=false', { trustedBoot: false }],
    ['a system of somebody else', 'ID=debian\nVERSION_ID=12', undefined],
    ['keys that are all empty', 'KAIROS_VERSION=', undefined],
    ['nothing at all', '', undefined],
  ])('%s', (_sentence, text, release) => expect(parseRelease(text)).toEqual(release));

  test('a whole file', () => {
    const text = [
      'KAIROS_ID="kairos"',
      'KAIROS_VERSION="v3.5.0"',
      'KAIROS_SOFTWARE_VERSION="v1.34.4+k3s1"',
      'KAIROS_SOFTWARE_VERSION_PREFIX="k3s"',
      'KAIROS_UNHEARD_OF="x"',
    ].join('\n');
    expect(parseRelease(text)).toEqual({
      id: 'kairos',
      version: 'v3.5.0',
      softwareVersion: 'v1.34.4+k3s1',
      softwareVersionPrefix: 'k3s',
    });
  });
});
