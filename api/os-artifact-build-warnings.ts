/** What the build tools will make of an OSArtifact that is allowed. */
import { DISK_IMAGES, requestedOutputs } from './artifact-kinds.js';
import { DEFAULT_CLAIM_SIZE, isContent, mebibytes, quantityMiB } from './artifact-values.js';
import type { OSArtifactSpec } from './os-artifact.js';
import { isSet } from './os-artifact-faults.js';

const VERSION = /^v?\d+(\.\d+)*(-[0-9A-Za-z.~-]+)?(\+[0-9A-Za-z.~-]+)?$/;

const versionWarning = (path: string, version: string | undefined): string[] =>
  version === undefined || version === '' || VERSION.test(version)
    ? []
    : [`spec.${path}: "${version}" is not a semantic version, such as v3.6.0: kairos-init will refuse it`];

function versions({ image, baseImageName, kairosRelease = '' }: OSArtifactSpec): string[] {
  const isConverted = isSet(baseImageName) && !isContent(kairosRelease);
  return [
    ...versionWarning('image.buildOptions.version', image?.buildOptions?.version),
    ...versionWarning('kairosRelease', isConverted ? kairosRelease : undefined),
  ];
}

/** Variables that the system itself and the build tools read. */
const EXPECTED = ['KAIROS_VERSION', 'KAIROS_RELEASE', 'KAIROS_FLAVOR', 'KAIROS_MODEL', 'KAIROS_ARCH'];

function replacedRelease({ artifacts, ...spec }: OSArtifactSpec): string[] {
  const [path, text = ''] = artifacts
    ? ['artifacts.kairosRelease', artifacts.kairosRelease]
    : ['kairosRelease', spec.kairosRelease];
  const missing = isContent(text) ? EXPECTED.filter(name => !new RegExp(`^${name}=`, 'm').test(text)) : [];
  return missing.length === 0
    ? []
    : [
        `spec.${path}: replaces the whole file, which is then without ${missing.join(', ')}; a version alone is set in it`,
      ];
}

const idleKubernetesVersion = ({ image }: OSArtifactSpec): string[] =>
  isSet(image?.buildOptions?.kubernetesVersion) && !isSet(image?.buildOptions?.kubernetesDistro)
    ? ['spec.image.buildOptions.kubernetesVersion: has no effect without image.buildOptions.kubernetesDistro']
    : [];

const isCompressed = (endings: readonly string[]) => endings.some(ending => ending.endsWith('.gz'));

const sizeIn = (volume: unknown): unknown => {
  const at = (value: unknown, key: string): unknown =>
    typeof value === 'object' && value !== null ? Object.entries(value).find(([name]) => name === key)?.[1] : undefined;
  return volume === undefined ? DEFAULT_CLAIM_SIZE : at(at(at(volume, 'resources'), 'requests'), 'storage');
};

/** A volume of the user has an unknown size, and so has a disk without `diskSize`. */
function tooSmallClaim({ artifacts, volume, ...spec }: OSArtifactSpec): string[] {
  const request = artifacts ?? spec;
  const { diskSize } = request;
  const disks = requestedOutputs(request).filter(({ kind, endings }) => kind in DISK_IMAGES && !isCompressed(endings));
  if (!diskSize || disks.length === 0 || isSet(artifacts?.volume)) return [];
  const [size, neededMiB] = [sizeIn(volume), disks.length * mebibytes(diskSize)];
  return neededMiB > (quantityMiB(size) ?? neededMiB)
    ? [
        `spec.volume: ${String(size)} may be too little for ${disks.length === 1 ? 'a disk' : `${disks.length} disks`} of ${diskSize} and the image; set volume.resources.requests.storage`,
      ]
    : [];
}

export const buildWarnings = (spec: OSArtifactSpec): string[] => [
  ...versions(spec),
  ...idleKubernetesVersion(spec),
  ...replacedRelease(spec),
  ...tooSmallClaim(spec),
];
