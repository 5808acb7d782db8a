/** Version and slots of a simulated Kairos, and its release files. */

export interface KairosVersion {
  version: string;
  softwareVersion?: string;
  arch?: string;
}

/** The version of every node unless a test requests another. */
export const INITIAL: Required<KairosVersion> = { version: 'v3.5.0', softwareVersion: 'v1.34.4+k3s1', arch: 'amd64' };

export const SLOTS = ['active', 'passive', 'recovery'] as const;
export type Slot = (typeof SLOTS)[number];

/** The file system label on the kernel command line that identifies the slot. */
export const slotLabel = (slot: Slot) => `COS_${slot.toUpperCase()}`;

/** A file in a slot's /etc that makes the slot unbootable. */
export const CANNOT_BOOT = 'cannot-boot';

/** Contents of `/etc/kairos-release` and `/etc/os-release`. */
export function releaseFiles(requested: KairosVersion): { 'kairos-release': string; 'os-release': string } {
  const { version, softwareVersion, arch } = { ...INITIAL, ...requested };
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
  return { 'kairos-release': lines(fields, 'KAIROS_'), 'os-release': lines(system, '') };
}

function lines(fields: Record<string, string>, prefix: string): string {
  return Object.entries(fields)
    .map(([key, value]) => `${prefix}${key}="${value}"\n`)
    .join('');
}
