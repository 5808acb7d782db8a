/** What is to be built, in one form for both shapes of an OSArtifact. No other file of this folder knows that there are two. */
import {
  ARTIFACT_KINDS,
  type ArtifactKind,
  builtOutputs,
  mapValues,
  type RequestedOutput,
} from '../../../api/artifact-kinds.js';
import { DEFAULT_CLAIM_SIZE, isContent, mebibytes } from '../../../api/artifact-values.js';
import type { OSArtifactSpec } from '../../../api/os-artifact.js';
import type { BuildImage, BuildOptions } from '../../../api/os-artifact-nested.js';
import type { JobSpec, Json, NamedObject, SecretKey } from '../../../api/passthrough.js';

export interface DockerfileTemplate {
  text: Required<SecretKey>;
  values: Readonly<Record<string, string>>;
  /** Without a key, all entries of the Secret are values. */
  valuesFrom?: SecretKey;
}

export type Source =
  /** A Kairos image that is used as it is. */
  | { is: 'image'; ref: string }
  /** An image that is built: from the user's Dockerfile, by converting a Linux distribution, or both. */
  | { is: 'dockerfile'; template?: DockerfileTemplate; options?: BuildOptions };

export interface Build {
  artifactName: string;
  source: Source;
  target?: BuildImage;
  push: boolean;
  credentials?: Required<SecretKey>;
  pullSecrets: readonly { name: string }[];
  env: readonly NamedObject[];
  insecurePull: boolean;
  insecurePush: boolean;
  arch?: 'amd64' | 'arm64';
  /** With those that requested ones are made from. */
  outputs: readonly RequestedOutput[];
  /** Size of disk images. */
  diskMiB?: number;
  netbootUrl?: string;
  cloudConfig?: Required<SecretKey>;
  grubConfig?: string;
  osRelease?: string;
  kairosRelease?: string;
  bundles: readonly string[];
  /** Names of volumes in `volumes`, by their use. */
  userVolumes: {
    context?: string;
    caCertificates?: string;
    overlayIso?: string;
    overlayRootfs?: string;
    keys?: string;
  };
  volumes: readonly NamedObject[];
  /** Where the files are written: a user volume, or a claim of the operator. */
  storage: { is: 'volume'; name: string } | { is: 'claim'; spec: Json };
  importers: readonly NamedObject[];
  exporters: readonly JobSpec[];
  /** Names of files, without their endings. */
  names: Readonly<Record<ArtifactKind, string>>;
  resources: Partial<Record<ArtifactKind | 'pod', Json>>;
  pod: {
    nodeSelector?: Record<string, string>;
    tolerations?: readonly Json[];
    affinity?: Json;
    labels: Readonly<Record<string, string>>;
    annotations: Readonly<Record<string, string>>;
  };
}

const DEFAULT_CLAIM: Json = {
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: DEFAULT_CLAIM_SIZE } },
};

/** The version for kairos-init where the flat shape does not give one. */
const DEFAULT_VERSION = 'v0.0.0';

const withDefaultKey = ({ name, key }: SecretKey, defaultKey: string): Required<SecretKey> => ({
  name,
  key: key ?? defaultKey,
});

function flatSource(spec: OSArtifactSpec): Source | undefined {
  const { baseImageName, baseImageDockerfile, kairosRelease } = spec;
  if (baseImageDockerfile) {
    const { dockerfileTemplateValues: values = {}, dockerfileTemplateValuesFrom: valuesFrom } = spec;
    return {
      is: 'dockerfile',
      template: { text: withDefaultKey(baseImageDockerfile, 'Dockerfile'), values, valuesFrom },
    };
  }
  if (!baseImageName) return undefined;
  const version = !kairosRelease || isContent(kairosRelease) ? DEFAULT_VERSION : kairosRelease;
  return { is: 'dockerfile', options: { baseImage: baseImageName, version } };
}

function sourceOf(spec: OSArtifactSpec): Source {
  const { image, imageName } = spec;
  const ref = image?.ref || imageName;
  if (ref) return { is: 'image', ref };
  const { ociSpec, buildOptions: options } = image ?? {};
  const template = ociSpec && {
    text: withDefaultKey(ociSpec.ref, 'ociSpec'),
    values: ociSpec.templateValues ?? {},
    valuesFrom: ociSpec.templateValuesFrom,
  };
  return flatSource(spec) ?? { is: 'dockerfile', template, options };
}

function userVolumesOf({ image, artifacts }: OSArtifactSpec): Build['userVolumes'] {
  return {
    context: image?.ociSpec?.buildContextVolume || undefined,
    caCertificates: image?.caCertificatesVolume || undefined,
    overlayIso: artifacts?.overlayISOVolume || undefined,
    overlayRootfs: artifacts?.overlayRootfsVolume || undefined,
    keys: artifacts?.uki?.keysVolume || undefined,
  };
}

function namesOf(artifactName: string, override: OSArtifactSpec['nameOverride'] = {}): Build['names'] {
  const overrides: Readonly<Record<string, string | undefined>> = override;
  return mapValues<ArtifactKind, object, string>(ARTIFACT_KINDS, (row, kind) => {
    const source = 'madeFrom' in row ? String(row.madeFrom) : kind;
    return overrides[kind] || overrides[source] || artifactName;
  });
}

function podOf({ nodeSelector, tolerations, affinity, podLabels = {}, podAnnotations = {} }: OSArtifactSpec) {
  return { nodeSelector, tolerations, affinity, labels: podLabels, annotations: podAnnotations };
}

/** The fields that have the same names in both shapes. An empty text counts as absent: templates render it for values that are not set. */
function outputsOf(spec: OSArtifactSpec) {
  const artifacts: NonNullable<OSArtifactSpec['artifacts']> = spec.artifacts ?? { ...spec, volume: undefined };
  const { cloudConfigRef } = artifacts;
  return {
    arch: artifacts.arch,
    outputs: builtOutputs(artifacts),
    diskMiB: artifacts.diskSize ? mebibytes(artifacts.diskSize) : undefined,
    netbootUrl: artifacts.netbootURL || undefined,
    cloudConfig: cloudConfigRef && withDefaultKey(cloudConfigRef, 'cloud-config.yaml'),
    grubConfig: artifacts.grubConfig || undefined,
    osRelease: artifacts.osRelease || undefined,
    kairosRelease: artifacts.kairosRelease || undefined,
    bundles: artifacts.bundles ?? [],
  };
}

/** `spec`: without faults. */
export function buildOf(artifactName: string, spec: OSArtifactSpec): Build {
  const { image = {}, artifacts, exporters = [] } = spec;
  const { imageCredentialsSecretRef: credentials } = image;
  return {
    artifactName,
    source: sourceOf(spec),
    target: image.buildImage,
    push: image.push === true,
    credentials: credentials && withDefaultKey(credentials, '.dockerconfigjson'),
    pullSecrets: spec.imagePullSecrets ?? [],
    env: image.buildEnv ?? [],
    insecurePull: image.pullInsecureRegistry === true,
    insecurePush: image.pushInsecureRegistry === true,
    ...outputsOf(spec),
    userVolumes: userVolumesOf(spec),
    volumes: spec.volumes ?? [],
    storage: artifacts?.volume
      ? { is: 'volume', name: artifacts.volume }
      : { is: 'claim', spec: spec.volume ?? DEFAULT_CLAIM },
    importers: spec.importers ?? [],
    exporters,
    names: namesOf(artifactName, spec.nameOverride),
    resources: spec.resources ?? {},
    pod: podOf(spec),
  };
}
