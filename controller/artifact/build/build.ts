/** What is to be built: one form for both shapes of an OSArtifact. Nothing behind this file knows that there are two. */
import type { JobSpec, Json, Named, SecretKey } from '../../../api/passthrough.js';
import type { Output, OSArtifactSpec } from '../../../api/os-artifact.js';
import type { BuildImage, BuildOptions } from '../../../api/os-artifact-nested.js';

export interface Definition {
  /** Secret and entry of the user's own part. */
  text: Required<SecretKey>;
  values: Readonly<Record<string, string>>;
  /** Without a key, all entries of the Secret are values. */
  valuesFrom?: SecretKey;
}

export type Source =
  /** A Kairos image that is ready to use. */
  | { is: 'image'; ref: string }
  /** An image that is built by a definition: the user's, one of ours around a plain Linux, or both. */
  | { is: 'definition'; definition?: Definition; options?: BuildOptions };

export interface Build {
  /** Name of the OSArtifact. */
  object: string;
  source: Source;
  target?: BuildImage;
  push: boolean;
  credentials?: Required<SecretKey>;
  pullSecrets: readonly { name: string }[];
  env: readonly Named[];
  insecurePull: boolean;
  insecurePush: boolean;
  arch?: 'amd64' | 'arm64';
  outputs: Readonly<Record<Exclude<Output, 'uki'>, boolean>>;
  uki: { iso: boolean; container: boolean; efi: boolean };
  /** Of disk images. */
  diskMiB?: number;
  netbootUrl?: string;
  cloudConfig?: Required<SecretKey>;
  grubConfig?: string;
  osRelease?: string;
  kairosRelease?: string;
  bundles: readonly string[];
  /** Names of the user's volumes, by what they are for. */
  uses: { context?: string; caCertificates?: string; overlayIso?: string; overlayRootfs?: string; keys?: string };
  volumes: readonly Named[];
  /** A volume of the user's to build in; else a claim. */
  place: { is: 'volume'; name: string } | { is: 'claim'; spec: Json };
  importers: readonly Named[];
  exporters: readonly JobSpec[];
  /** Names of files, without their endings. */
  names: Readonly<Record<Output, string>>;
  resources: Partial<Record<Output | 'pod', Json>>;
  pod: {
    nodeSelector?: Record<string, string>;
    tolerations?: readonly Json[];
    affinity?: Json;
    labels: Readonly<Record<string, string>>;
    annotations: Readonly<Record<string, string>>;
  };
}

const DEFAULT_CLAIM: Json = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } };

/** What kairos-init is told where the older shape has no field for it. */
const UNNAMED_VERSION = 'v0.0.0';

const keyed = ({ name, key }: SecretKey, otherwise: string): Required<SecretKey> => ({ name, key: key ?? otherwise });

/** A version is one word; anything else is the content of a release file. */
export const isContent = (release: string): boolean => /[=\n]/.test(release);

function sourceOf(spec: OSArtifactSpec): Source {
  const { image, imageName, baseImageName, baseImageDockerfile, kairosRelease } = spec;
  const ref = image?.ref || imageName;
  if (ref) return { is: 'image', ref };
  if (baseImageDockerfile) {
    const { dockerfileTemplateValues: values = {}, dockerfileTemplateValuesFrom: valuesFrom } = spec;
    return { is: 'definition', definition: { text: keyed(baseImageDockerfile, 'Dockerfile'), values, valuesFrom } };
  }
  if (baseImageName) {
    const version = !kairosRelease || isContent(kairosRelease) ? UNNAMED_VERSION : kairosRelease;
    return { is: 'definition', options: { baseImage: baseImageName, version } };
  }
  const { ociSpec, buildOptions: options } = image ?? {};
  const definition = ociSpec && {
    text: keyed(ociSpec.ref, 'ociSpec'),
    values: ociSpec.templateValues ?? {},
    valuesFrom: ociSpec.templateValuesFrom,
  };
  return { is: 'definition', definition, options };
}

function usesOf({ image, artifacts }: OSArtifactSpec): Build['uses'] {
  return {
    context: image?.ociSpec?.buildContextVolume || undefined,
    caCertificates: image?.caCertificatesVolume || undefined,
    overlayIso: artifacts?.overlayISOVolume || undefined,
    overlayRootfs: artifacts?.overlayRootfsVolume || undefined,
    keys: artifacts?.uki?.keysVolume || undefined,
  };
}

function namesOf(name: string, override: OSArtifactSpec['nameOverride'] = {}): Build['names'] {
  const iso = override.iso || name;
  return {
    iso,
    cloudImage: override.cloudImage || name,
    azureImage: override.azureImage || name,
    gceImage: override.gceImage || name,
    netboot: override.netboot || iso,
    uki: override.uki || name,
  };
}

function podOf({ nodeSelector, tolerations, affinity, podLabels = {}, podAnnotations = {} }: OSArtifactSpec) {
  return { nodeSelector, tolerations, affinity, labels: podLabels, annotations: podAnnotations };
}

const MIB_OF: Readonly<Record<string, number>> = { K: 1 / 1024, M: 1, G: 1024, T: 1024 ** 2 };

/** `size`: "10G", or a number of MiB, which is all that auroraboot takes. */
const mebibytes = (size: string): number => Math.ceil(Number.parseInt(size, 10) * (MIB_OF[size.slice(-1)] ?? 1));

/** What is made of the image: the same words in both shapes. An empty text is none, as in manifests that are rendered. */
function outputsOf(spec: OSArtifactSpec) {
  const wanted: NonNullable<OSArtifactSpec['artifacts']> = spec.artifacts ?? { ...spec, volume: undefined };
  const { iso, cloudImage, azureImage, gceImage, netboot, cloudConfigRef, uki = {} } = wanted;
  return {
    arch: wanted.arch,
    outputs: {
      iso: iso === true,
      cloudImage: cloudImage === true,
      azureImage: azureImage === true,
      gceImage: gceImage === true,
      netboot: netboot === true,
    },
    uki: { iso: uki.iso === true, container: uki.container === true, efi: uki.efi === true },
    diskMiB: wanted.diskSize ? mebibytes(wanted.diskSize) : undefined,
    netbootUrl: wanted.netbootURL || undefined,
    cloudConfig: cloudConfigRef && keyed(cloudConfigRef, 'cloud-config.yaml'),
    grubConfig: wanted.grubConfig || undefined,
    osRelease: wanted.osRelease || undefined,
    kairosRelease: wanted.kairosRelease || undefined,
    bundles: wanted.bundles ?? [],
  };
}

/** `name`: of the object. The spec was found right before. */
export function buildOf(name: string, spec: OSArtifactSpec): Build {
  const { image = {}, artifacts, exporters = [] } = spec;
  return {
    object: name,
    source: sourceOf(spec),
    target: image.buildImage,
    push: image.push === true,
    credentials: image.imageCredentialsSecretRef && keyed(image.imageCredentialsSecretRef, '.dockerconfigjson'),
    pullSecrets: spec.imagePullSecrets ?? [],
    env: image.buildEnv ?? [],
    insecurePull: image.pullInsecureRegistry === true,
    insecurePush: image.pushInsecureRegistry === true,
    ...outputsOf(spec),
    uses: usesOf(spec),
    volumes: spec.volumes ?? [],
    place: artifacts?.volume
      ? { is: 'volume', name: artifacts.volume }
      : { is: 'claim', spec: spec.volume ?? DEFAULT_CLAIM },
    importers: spec.importers ?? [],
    exporters,
    names: namesOf(name, spec.nameOverride),
    resources: spec.resources ?? {},
    pod: podOf(spec),
  };
}
