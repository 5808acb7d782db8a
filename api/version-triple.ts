/** The version triple, which identifies the system of a node or an image in the Kairos documentation. */
import type { Release } from './release.js';

/** `<KAIROS_VERSION>-<PREFIX><SOFTWARE_VERSION>`, or only the version when the release has no software; undefined when the version is unknown. */
export function versionTriple(release: Release | undefined): string | undefined {
  if (release?.version === undefined) return undefined;
  const software = `${release.softwareVersionPrefix ?? ''}${release.softwareVersion ?? ''}`;
  return software === '' ? release.version : `${release.version}-${software}`;
}
