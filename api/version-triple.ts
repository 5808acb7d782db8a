/** Which of two systems is which: the version triple of the published documentation. */
import type { Release } from './release.js';

/** `<KAIROS_VERSION>-<PREFIX><SOFTWARE_VERSION>`, without the tail where no software is inside; undefined where the version is unknown. */
export function versionTriple(release: Release | undefined): string | undefined {
  if (release?.version === undefined) return undefined;
  const software = `${release.softwareVersionPrefix ?? ''}${release.softwareVersion ?? ''}`;
  return software === '' ? release.version : `${release.version}-${software}`;
}
