/** Version and slots of a simulated Kairos, and its release files. */

export interface KairosVersion {
  version: string;
  softwareVersion?: string;
  arch?: string;
  /** As in Kairos up to v3.2.1: no `/etc/kairos-release`, and its keys in the `/etc/os-release` of the distribution. */
  inOsRelease?: boolean;
}

/** The version of every node unless a test requests another. */
export const INITIAL: Required<Omit<KairosVersion, 'inOsRelease'>> = {
  version: 'v3.5.0',
  softwareVersion: 'v1.34.4+k3s1',
  arch: 'amd64',
};

export const SLOTS = ['active', 'passive', 'recovery'] as const;
export type Slot = (typeof SLOTS)[number];

/** The file system label on the kernel command line that identifies the slot. */
export const slotLabel = (slot: Slot) => `COS_${slot.toUpperCase()}`;

/** A file in a slot's /etc that makes the slot unbootable. */
export const CANNOT_BOOT = 'cannot-boot';

const DISTRIBUTION = { PRETTY_NAME: 'Ubuntu 24.04 LTS', NAME: 'Ubuntu', ID: 'ubuntu', VERSION_ID: '24.04' };

/** Contents of `/etc/os-release` and, unless the release is in there, of `/etc/kairos-release`. */
export function releaseFiles(requested: KairosVersion): { 'os-release': string; 'kairos-release'?: string } {
  const { version, softwareVersion, arch, inOsRelease } = { ...INITIAL, ...requested };
  const name = 'kairos-standard-debian-12';
  const fields = {
    ID: 'kairos',
    NAME: name,
    VERSION: version,
    ARCH: arch,
    FLAVOR: 'debian',
    FLAVOR_RELEASE: '12',
    FAMILY: 'debian',
    MODEL: 'generic',
    VARIANT: 'standard',
    SOFTWARE_VERSION: softwareVersion,
    SOFTWARE_VERSION_PREFIX: 'k3s',
    RELEASE: version,
  };
  const system = {
    PRETTY_NAME: `${name} ${version}`,
    NAME: 'Kairos',
    ID: 'kairos',
    VERSION_ID: version,
    VERSION: version,
  };
  if (inOsRelease === true)
    return { 'os-release': lines(DISTRIBUTION, '') + lines({ ...fields, ID: 'kairos', FLAVOR: 'ubuntu' }, 'KAIROS_') };
  return { 'kairos-release': lines(fields, 'KAIROS_'), 'os-release': lines(system, '') };
}

function lines(fields: Record<string, string>, prefix: string): string {
  return Object.entries(fields)
    .map(([key, value]) => `${prefix}${key}="${value}"\n`)
    .join('');
}
