/** What the probes said, put together: which system an upgrade leads to, and which image that is exactly. */
import type { UpgradeTarget } from '../../api/nodeop-upgrade.js';
import type { Release } from '../../api/release.js';
import { versionTriple } from '../../api/version-triple.js';
import { fullImageName } from '../cluster/image-name.js';

/** One probe that was read. */
export interface Reading {
  arch: string;
  release: Release | undefined;
  digest: string | undefined;
  /** It was read from the copy that a node has; why the registry could not be asked. */
  noPull?: string;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

const withoutTag = (image: string) => image.replace(/@.*$/, '').replace(/:[^/]*$/, '');
const repository = (image: string) => withoutTag(fullImageName(image));

/**
 * The digest in what the runtime calls an image, where it is one of the image's own repository: the same content may be known
 * under another name too, and an image that was imported by hand has only the checksum of its configuration.
 */
export function digestFor(image: string, imageId: string | undefined): string | undefined {
  const [name, digest] = (imageId ?? '').replace(/^[a-z-]+:\/\//, '').split('@');
  if (!name || digest === undefined || !DIGEST.test(digest)) return undefined;
  return repository(name) === repository(image) ? digest : undefined;
}

/** The one value that all have; undefined where they differ or one has none. */
function agreed<T>(values: readonly (T | undefined)[]): T | undefined {
  const [first] = values;
  return values.every(value => value === first) ? first : undefined;
}

/**
 * A version or a digest is the target's only where all readings agree. An architecture that could not be read, or of which
 * nothing is known, has an empty release: so that no other one's is taken for its own.
 */
export function targetFrom(readings: readonly Reading[], leftOut: readonly string[], now: Date): UpgradeTarget {
  const version = agreed(readings.map(({ release }) => versionTriple(release)));
  const digest = agreed(readings.map(reading => reading.digest));
  const unread = leftOut.map(arch => ({ arch, release: undefined }));
  return {
    ...(version === undefined ? {} : { version }),
    ...(digest === undefined ? {} : { digest }),
    releases: Object.fromEntries([...readings, ...unread].map(({ arch, release = {} }) => [arch, release])),
    probedAt: now.toISOString(),
  };
}

/** The value of a field where every release has the same. */
export const sameInAll = <K extends keyof Release>({ releases }: UpgradeTarget, field: K): Release[K] | undefined =>
  agreed(Object.values(releases ?? {}).map(release => release[field]));

/** The image by its content, so that a moved tag cannot bring two nodes to two systems. */
export const pinnedImage = (image: string, digest: string | undefined): string =>
  digest === undefined || image.includes('@') ? image : `${withoutTag(image)}@${digest}`;
