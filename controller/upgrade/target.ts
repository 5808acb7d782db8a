/** Combines the results of the probes into the target: the system that the upgrade leads to, and the exact image. */
import type { UpgradeTarget } from '../../api/nodeop-upgrade.js';
import type { Release } from '../../api/release.js';
import { versionTriple } from '../../api/version-triple.js';
import { fullImageName, withoutTag } from '../cluster/image-name.js';

/** The result of one probe that could read the image. */
export interface Reading {
  arch: string;
  release: Release | undefined;
  digest: string | undefined;
  /** Why the registry could not be asked; set when the copy in the image store of a node was read instead. */
  pullError?: string;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

const repositoryOf = (image: string) => {
  const [name = ''] = image.split('@', 1);
  return withoutTag(name);
};
const fullRepositoryOf = (image: string) => repositoryOf(fullImageName(image));

/**
 * The digest in the image id of the container runtime, if that id belongs to the repository of the image. The same content may be known under
 * another name too, and an image that was imported by hand has only the checksum of its configuration.
 */
export function digestFor(image: string, imageId: string | undefined): string | undefined {
  const [name, digest] = (imageId ?? '').replace(/^[a-z-]+:\/\//, '').split('@');
  if (!name || digest === undefined || !DIGEST.test(digest)) return undefined;
  return fullRepositoryOf(name) === fullRepositoryOf(image) ? digest : undefined;
}

/** The value that all have in common; undefined where they differ or one is undefined. */
function commonValue<T>(values: readonly (T | undefined)[]): T | undefined {
  const [first] = values;
  return values.every(value => value === first) ? first : undefined;
}

/**
 * A version or a digest belongs to the target only where all readings agree. An architecture that was skipped, or whose release is unknown, gets
 * an empty release, so that the release of another architecture is not used for it.
 */
export function targetFrom(readings: readonly Reading[], skipped: readonly string[], now: Date): UpgradeTarget {
  const version = commonValue(readings.map(({ release }) => versionTriple(release)));
  const digest = commonValue(readings.map(reading => reading.digest));
  const unread = skipped.map(arch => ({ arch, release: undefined }));
  return {
    ...(version === undefined ? {} : { version }),
    ...(digest === undefined ? {} : { digest }),
    releases: Object.fromEntries([...readings, ...unread].map(({ arch, release = {} }) => [arch, release])),
    probedAt: now.toISOString(),
  };
}

/** The value of a field if it is the same in the releases of all architectures. */
export const commonReleaseValue = <K extends keyof Release>(
  { releases }: UpgradeTarget,
  field: K,
): Release[K] | undefined => commonValue(Object.values(releases ?? {}).map(release => release[field]));

/** The image by its digest, so that a tag that moves during the rollout cannot give two nodes different systems. */
export const pinnedImage = (image: string, digest: string | undefined): string =>
  digest === undefined || image.includes('@') ? image : `${repositoryOf(image)}@${digest}`;
