import { describe, expect, test } from '@jest/globals';
import { digestFor, pinnedImage, commonReleaseValue, targetFrom } from '../../../controller/upgrade/target.js';
import { DIGEST, NOW } from './samples.js';

describe('digestFor', () => {
  test.each([
    ['returns the digest of an image id of the same repository', 'quay.io/k/d:v2', `quay.io/k/d@${DIGEST}`, DIGEST],
    ['expands a short name', 'busybox', `docker.io/library/busybox@${DIGEST}`, DIGEST],
    ['ignores the scheme of an older runtime', 'quay.io/k/d:v2', `docker-pullable://quay.io/k/d@${DIGEST}`, DIGEST],
    ['accepts a registry with a port', 'reg:5000/d:v2', `reg:5000/d@${DIGEST}`, DIGEST],
    ['ignores an image id of another repository', 'quay.io/k/d:v2', `mirror.example/k/d@${DIGEST}`, undefined],
    ['ignores the configuration checksum of an imported image', 'quay.io/k/d:v2', DIGEST, undefined],
    ['ignores a malformed digest', 'quay.io/k/d:v2', 'quay.io/k/d@sha256:12', undefined],
    ['returns undefined without an image id', 'quay.io/k/d:v2', undefined, undefined],
    ['returns undefined for an empty image id', 'quay.io/k/d:v2', '', undefined],
  ])('%s', (_sentence, image, imageId, digest) => expect(digestFor(image, imageId)).toBe(digest));
});

describe('pinnedImage', () => {
  test('takes time in proportion to the length of the name', () => {
    const colons = `${':'.repeat(1_000_000)}/x`;
    expect(pinnedImage(colons, DIGEST)).toBe(`${colons}@${DIGEST}`);
    expect(digestFor(`${'@\n'.repeat(500_000)}x`, undefined)).toBeUndefined();
  });

  test.each([
    ['replaces the tag by the digest', 'quay.io/k/d:v2', DIGEST, `quay.io/k/d@${DIGEST}`],
    ['does not take a port for a tag', 'reg:5000/d', DIGEST, `reg:5000/d@${DIGEST}`],
    [
      'keeps a digest that is given already',
      `quay.io/k/d@sha256:${'b'.repeat(64)}`,
      DIGEST,
      `quay.io/k/d@sha256:${'b'.repeat(64)}`,
    ],
    ['keeps the tag if the digest is unknown', 'quay.io/k/d:v2', undefined, 'quay.io/k/d:v2'],
  ])('%s', (_sentence, image, digest, pinned) => expect(pinnedImage(image, digest)).toBe(pinned));
});

describe('the target of several architectures', () => {
  const amd = { arch: 'amd64', release: { version: 'v2', arch: 'amd64' }, digest: DIGEST };
  const arm = { arch: 'arm64', release: { version: 'v2', arch: 'arm64' }, digest: DIGEST };

  test('has the version and digest on which all readings agree', () => {
    expect(targetFrom([amd, arm], [], NOW)).toEqual({
      version: 'v2',
      digest: DIGEST,
      releases: { amd64: amd.release, arm64: arm.release },
      probedAt: NOW.toISOString(),
    });
  });

  test('has no version and digest if the readings differ', () => {
    const other = { ...arm, release: { version: 'v3' }, digest: `sha256:${'c'.repeat(64)}` };
    const target = targetFrom([amd, other], [], NOW);
    expect([target.version, target.digest]).toEqual([undefined, undefined]);
  });

  test('has no version if one release is unknown', () => {
    expect(targetFrom([amd, { ...arm, release: undefined }], [], NOW).version).toBeUndefined();
  });

  test('has an empty release for a skipped architecture', () => {
    const target = targetFrom([amd], ['arm64'], NOW);
    expect([target.version, target.digest, commonReleaseValue(target, 'arch')]).toEqual(['v2', DIGEST, undefined]);
  });
});
