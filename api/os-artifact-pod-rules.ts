/** Rules for what users add to the builder Pod: volumes, containers, names of files. */
import { KIND_STEPS, requestedOutputs, variantVolumes } from './artifact-kinds.js';
import { cutName } from './cut.js';
import { ARCHITECTURE_LABEL } from './names.js';
import type { OSArtifactSpec } from './os-artifact.js';
import { fault, isSet, type Rule } from './os-artifact-faults.js';
import { ARTIFACTS_VOLUME, type NamedObject, SCRATCH_VOLUME } from './passthrough.js';

/** Volumes that the operator adds to the builder Pod. */
export const RESERVED_VOLUMES: readonly string[] = [
  ARTIFACTS_VOLUME,
  'rootfs',
  'config',
  'ocispec',
  'cloudconfig',
  'image-credentials',
  SCRATCH_VOLUME,
];

const quoted = (name: unknown): string => `"${cutName(String(name))}"`;

/** The name of each item, and whether an earlier item has it. Takes time in proportion to the names, of which there may be thousands. */
function namesOf(items: readonly NamedObject[]): { name: string; isRepeated: boolean }[] {
  const seen = new Set<string>();
  return items.map(({ name }) => {
    const isRepeated = seen.has(name);
    seen.add(name);
    return { name, isRepeated };
  });
}

const volumeNames: Rule = ({ volumes = [] }) =>
  namesOf(volumes).flatMap(({ name, isRepeated }, index) => [
    ...(RESERVED_VOLUMES.includes(name)
      ? [fault(`${quoted(name)} is reserved by the operator`, 'volumes', index, 'name')]
      : []),
    ...(isRepeated ? [fault(`${quoted(name)} is used twice`, 'volumes', index, 'name')] : []),
  ]);

/** Every field that names a volume. */
const volumeReferences = ({ image, artifacts }: OSArtifactSpec): { path: string[]; name: string }[] =>
  [
    { path: ['image', 'ociSpec', 'buildContextVolume'], name: image?.ociSpec?.buildContextVolume },
    { path: ['image', 'caCertificatesVolume'], name: image?.caCertificatesVolume },
    { path: ['artifacts', 'overlayISOVolume'], name: artifacts?.overlayISOVolume },
    { path: ['artifacts', 'overlayRootfsVolume'], name: artifacts?.overlayRootfsVolume },
    ...variantVolumes(artifacts ?? {}).map(({ kind, field, name }) => ({ path: ['artifacts', kind, field], name })),
    { path: ['artifacts', 'volume'], name: artifacts?.volume },
  ].flatMap(({ path, name }) => (typeof name === 'string' && name !== '' ? [{ path, name }] : []));

const noSuchVolume = (name: unknown) => `there is no volume ${quoted(name)} in volumes`;

const volumesExist: Rule = spec =>
  volumeReferences(spec).flatMap(({ path, name }) =>
    spec.volumes?.some(volume => volume.name === name) ? [] : [fault(noSuchVolume(name), ...path)],
  );

const READ_ONLY_SOURCES = ['secret', 'configMap', 'projected', 'downwardAPI', 'image'];
const POD_SCOPED_SOURCES = ['emptyDir', 'ephemeral'];

/** Whether a volume is deleted with the builder Pod. A volume without a source is an emptyDir. */
export const isDeletedWithPod = (volume: NamedObject): boolean =>
  POD_SCOPED_SOURCES.some(source => isSet(volume[source])) ||
  Object.entries(volume).every(([field, value]) => field === 'name' || !isSet(value));

const isReadOnly = (source: unknown): boolean =>
  typeof source === 'object' && source !== null && 'readOnly' in source && source.readOnly === true;

/** The volume to build in must be writable, and must outlive the builder Pod where exporters read it. */
const workVolume: Rule = ({ artifacts, volumes = [], exporters = [] }) => {
  const volume = volumes.find(({ name }) => name === artifacts?.volume);
  if (!volume) return [];
  const path = ['artifacts', 'volume'];
  if (READ_ONLY_SOURCES.some(source => isSet(volume[source])) || Object.values(volume).some(isReadOnly))
    return [fault(`the volume ${quoted(volume.name)} is read-only: use a PersistentVolumeClaim`, ...path)];
  return exporters.length > 0 && isDeletedWithPod(volume)
    ? [
        fault(
          `the volume ${quoted(volume.name)} is deleted with the builder Pod, before exporters run: use a PersistentVolumeClaim`,
          ...path,
        ),
      ]
    : [];
};

/** The volumes that the operator adds for this spec. */
function operatorVolumes({ image, artifacts, ...spec }: OSArtifactSpec): string[] {
  const { cloudConfigRef, grubConfig, osRelease, kairosRelease } = artifacts ?? spec;
  const isBuilt = [image?.ociSpec, image?.buildOptions, spec.baseImageName, spec.baseImageDockerfile].some(isSet);
  const hasLogin = isSet(image?.imageCredentialsSecretRef) || (spec.imagePullSecrets ?? []).length > 0;
  return [
    'rootfs',
    SCRATCH_VOLUME,
    ...(isSet(artifacts?.volume) ? [] : [ARTIFACTS_VOLUME]),
    ...([grubConfig, osRelease, kairosRelease].some(isSet) ? ['config'] : []),
    ...(isBuilt ? ['ocispec'] : []),
    ...(isSet(cloudConfigRef) ? ['cloudconfig'] : []),
    ...(hasLogin ? ['image-credentials'] : []),
  ];
}

/** Importers may mount the volumes of the spec and those of the operator. */
const importerMounts: Rule = spec => {
  const { importers = [], volumes = [] } = spec;
  const known = new Set<unknown>([...operatorVolumes(spec), ...volumes.map(({ name }) => name)]);
  const faultOf = (name: unknown): string | undefined => {
    if (known.has(name)) return undefined;
    if (name === ARTIFACTS_VOLUME)
      return `the built files are in the volume ${quoted(spec.artifacts?.volume ?? '')} of this spec`;
    if (RESERVED_VOLUMES.some(one => one === name)) return `this build has no volume ${quoted(name)}`;
    return noSuchVolume(name);
  };
  return importers.flatMap(({ volumeMounts }, index) =>
    (Array.isArray(volumeMounts) ? volumeMounts : []).flatMap((mount: unknown, mountIndex) => {
      const message = faultOf(typeof mount === 'object' && mount !== null && 'name' in mount ? mount.name : undefined);
      return message === undefined ? [] : [fault(message, 'importers', index, 'volumeMounts', mountIndex, 'name')];
    }),
  );
};

/** Steps that prepare the root file system and the volume, whatever is built. */
const COMMON_STEP =
  /^(clear-artifacts|list-artifacts|pull-image-(baseimage|[0-9]+)|buildah-build|image-extractor|os-release|kairos-release)$/;

/** Whether the operator may give a container of the builder Pod this name. */
export const isBuilderStep = (name: string): boolean => COMMON_STEP.test(name) || KIND_STEPS.includes(name);

const importerNames: Rule = ({ importers = [] }) =>
  namesOf(importers).flatMap(({ name, isRepeated }, index) => [
    ...(isBuilderStep(name) ? [fault(`${quoted(name)} is the name of a build step`, 'importers', index, 'name')] : []),
    ...(isRepeated ? [fault(`${quoted(name)} is used twice`, 'importers', index, 'name')] : []),
  ]);

/** File names have 255 bytes at most (limits.h, NAME_MAX), including their endings. */
const FILE_NAME_LIMIT = 240;

const fileNameLengths: Rule = ({ nameOverride = {} }) =>
  Object.entries(nameOverride).flatMap(([kind, name]) =>
    typeof name === 'string' && name.length > FILE_NAME_LIMIT
      ? [
          fault(
            `must have at most ${FILE_NAME_LIMIT} characters: file names are limited to 255 with their endings`,
            'nameOverride',
            kind,
          ),
        ]
      : [],
  );

/** The endings of some kinds overlap, as in `x-uki.iso`. Default names cannot collide, since all kinds share one. */
const uniqueFileNames: Rule = ({ artifacts = {}, nameOverride = {} }) => {
  const files = requestedOutputs(artifacts).flatMap(({ kind, endings }) => {
    const name = nameOverride[kind];
    return name === undefined ? [] : endings.map(ending => ({ kind, file: name + ending }));
  });
  return files.flatMap(({ kind, file }, index) =>
    files.findIndex((other, at) => at > index && other.file === file) < 0
      ? []
      : [fault(`two files would be named ${cutName(file)}`, 'nameOverride', kind)],
  );
};

/** `controller/artifact/build/builder-pod.ts` selects nodes of the requested architecture for these. */
const nativeArchitecture: Rule = ({ artifacts = {}, nodeSelector }) => {
  const { arch } = artifacts;
  const selected = nodeSelector?.[ARCHITECTURE_LABEL];
  const isNative = requestedOutputs(artifacts).some(output => output.isNative === true);
  return isNative && arch !== undefined && selected !== undefined && selected !== arch
    ? [
        fault(
          `one of the artifacts for ${arch} must be built on a node of that architecture: remove this label`,
          'nodeSelector',
          ARCHITECTURE_LABEL,
        ),
      ]
    : [];
};

export const POD_RULES: readonly Rule[] = [
  volumeNames,
  volumesExist,
  workVolume,
  importerMounts,
  importerNames,
  fileNameLengths,
  uniqueFileNames,
  nativeArchitecture,
];
