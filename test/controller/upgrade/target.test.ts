import { describe, expect, test } from '@jest/globals';
import { digestFor, pinnedImage, commonReleaseValue, targetFrom } from '../../../controller/upgrade/target.js';
import { DIGEST, NOW } from './samples.js';

describe('the digest an image was resolved to', () => {
  test.each([
    ['of the same repository', 'quay.io/k/d:v2', `quay.io/k/d@${DIGEST}`, DIGEST],
    ['of a short name', 'busybox', `docker.io/library/busybox@${DIGEST}`, DIGEST],
    ['with the word of an older runtime in front', 'quay.io/k/d:v2', `docker-pullable://quay.io/k/d@${DIGEST}`, DIGEST],
    ['of a registry with a port', 'reg:5000/d:v2', `reg:5000/d@${DIGEST}`, DIGEST],
    ['not where it is of another repository', 'quay.io/k/d:v2', `mirror.example/k/d@${DIGEST}`, undefined],
    ['not where it is the checksum of an imported image', 'quay.io/k/d:v2', DIGEST, undefined],
    ['not where it is no digest', 'quay.io/k/d:v2', 'quay.io/k/d@sha256:12', undefined],
    ['not where nothing is told', 'quay.io/k/d:v2', undefined, undefined],
    ['not where an empty text is told', 'quay.io/k/d:v2', '', undefined],
  ])('%s', (_sentence, image, imageId, digest) => expect(digestFor(image, imageId)).toBe(digest));
});

describe('pinning', () => {
  test.each([
    ['the tag gives way to the digest', 'quay.io/k/d:v2', DIGEST, `quay.io/k/d@${DIGEST}`],
    ['a port is no tag', 'reg:5000/d', DIGEST, `reg:5000/d@${DIGEST}`],
    ['what is pinned stays', `quay.io/k/d@sha256:${'b'.repeat(64)}`, DIGEST, `quay.io/k/d@sha256:${'b'.repeat(64)}`],
    ['unknown: as written', 'quay.io/k/d:v2', undefined, 'quay.io/k/d:v2'],
  ])('%s', (_sentence, image, digest, pinned) => expect(pinnedImage(image, digest)).toBe(pinned));
});

describe('several architectures', () => {
  const amd = { arch: 'amd64', release: { version: 'v2', arch: 'amd64' }, digest: DIGEST };
  const arm = { arch: 'arm64', release: { version: 'v2', arch: 'arm64' }, digest: DIGEST };

  test('agree on version and digest', () => {
    expect(targetFrom([amd, arm], [], NOW)).toEqual({
      version: 'v2',
      digest: DIGEST,
      releases: { amd64: amd.release, arm64: arm.release },
      probedAt: NOW.toISOString(),
    });
  });

  test('that differ have no common version and digest', () => {
    const other = { ...arm, release: { version: 'v3' }, digest: `sha256:${'c'.repeat(64)}` };
    const target = targetFrom([amd, other], [], NOW);
    expect([target.version, target.digest]).toEqual([undefined, undefined]);
  });

  test('of which one is unknown have no common version', () => {
    expect(targetFrom([amd, { ...arm, release: undefined }], [], NOW).version).toBeUndefined();
  });

  test('that was left out shares no field with the ones that were read', () => {
    const target = targetFrom([amd], ['arm64'], NOW);
    expect([target.version, target.digest, commonReleaseValue(target, 'arch')]).toEqual(['v2', DIGEST, undefined]);
  });
});
