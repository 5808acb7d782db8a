/** Rules for what users bring into the builder Pod: volumes, containers, names of files. */
import type { Named } from './passthrough.js';
import type { OSArtifactSpec } from './os-artifact.js';
import { fault, given, type Rule } from './os-artifact-faults.js';

/** Volumes of the builder Pod that are its own. */
export const RESERVED_VOLUMES = ['artifacts', 'rootfs', 'config', 'ocispec', 'cloudconfig', 'image-credentials'];

const volumeNames: Rule = ({ volumes = [] }) =>
  volumes.flatMap(({ name }, index) => [
    ...(RESERVED_VOLUMES.includes(name)
      ? [fault(`"${name}" is a name of the operator's own`, 'volumes', index, 'name')]
      : []),
    ...(volumes.findIndex(other => other.name === name) < index
      ? [fault(`"${name}" is there twice`, 'volumes', index, 'name')]
      : []),
  ]);

/** Wherever a volume is named by a field. */
export const volumesNamed = ({ image, artifacts }: OSArtifactSpec): { path: string[]; name: string }[] =>
  [
    { path: ['image', 'ociSpec', 'buildContextVolume'], name: image?.ociSpec?.buildContextVolume },
    { path: ['image', 'caCertificatesVolume'], name: image?.caCertificatesVolume },
    { path: ['artifacts', 'overlayISOVolume'], name: artifacts?.overlayISOVolume },
    { path: ['artifacts', 'overlayRootfsVolume'], name: artifacts?.overlayRootfsVolume },
    { path: ['artifacts', 'uki', 'keysVolume'], name: artifacts?.uki?.keysVolume },
    { path: ['artifacts', 'volume'], name: artifacts?.volume },
  ].flatMap(({ path, name }) => (name ? [{ path, name }] : []));

const volumesThere: Rule = spec =>
  volumesNamed(spec).flatMap(({ path, name }) =>
    spec.volumes?.some(volume => volume.name === name) ? [] : [fault(`volumes has none named "${name}"`, ...path)],
  );

const SOURCES_TO_READ = ['secret', 'configMap', 'projected', 'downwardAPI', 'image'];
const SOURCES_OF_THE_POD = ['emptyDir', 'ephemeral'];

/** Does it end with the builder Pod? So does one without a source. */
export const endsWithPod = (volume: Named): boolean =>
  SOURCES_OF_THE_POD.some(source => given(volume[source])) ||
  Object.entries(volume).every(([field, value]) => field === 'name' || !given(value));

const isReadOnly = (source: unknown): boolean =>
  typeof source === 'object' && source !== null && 'readOnly' in source && source.readOnly === true;

/** The place to build in must take files, and still have them when exporters come. */
const placeToBuild: Rule = ({ artifacts, volumes = [], exporters = [] }) => {
  const place = volumes.find(({ name }) => name === artifacts?.volume);
  if (!place) return [];
  const path = ['artifacts', 'volume'];
  if (SOURCES_TO_READ.some(source => given(place[source])) || Object.values(place).some(isReadOnly))
    return [fault(`nothing can be written to the volume "${place.name}": name one of a claim`, ...path)];
  return exporters.length > 0 && endsWithPod(place)
    ? [
        fault(
          `the volume "${place.name}" ends with the builder Pod, before exporters run: name one of a claim`,
          ...path,
        ),
      ]
    : [];
};

/** Which of its own volumes the builder Pod will have. */
function ownVolumes({ image, artifacts, ...spec }: OSArtifactSpec): string[] {
  const { cloudConfigRef, grubConfig, osRelease, kairosRelease } = artifacts ?? spec;
  const isBuilt = [image?.ociSpec, image?.buildOptions, spec.baseImageName, spec.baseImageDockerfile].some(given);
  const hasLogin = given(image?.imageCredentialsSecretRef) || (spec.imagePullSecrets ?? []).length > 0;
  return [
    'rootfs',
    ...(given(artifacts?.volume) ? [] : ['artifacts']),
    ...([grubConfig, osRelease, kairosRelease].some(given) ? ['config'] : []),
    ...(isBuilt ? ['ocispec'] : []),
    ...(given(cloudConfigRef) ? ['cloudconfig'] : []),
    ...(hasLogin ? ['image-credentials'] : []),
  ];
}

/** What importers mount must be there as well; they may use the builder's own volumes. */
const importerMounts: Rule = spec => {
  const { importers = [], volumes = [] } = spec;
  const own = ownVolumes(spec);
  const why = (name: unknown): string | undefined => {
    if (volumes.some(volume => volume.name === name) || own.some(one => one === name)) return undefined;
    if (name === 'artifacts') return `what is built lies in the volume "${spec.artifacts?.volume ?? ''}" here`;
    if (RESERVED_VOLUMES.some(one => one === name)) return `this build has no volume "${String(name)}"`;
    return `volumes has none named "${String(name)}"`;
  };
  return importers.flatMap(({ volumeMounts }, index) =>
    (Array.isArray(volumeMounts) ? volumeMounts : []).flatMap((mount: unknown, place) => {
      const words = why(typeof mount === 'object' && mount !== null && 'name' in mount ? mount.name : undefined);
      return words === undefined ? [] : [fault(words, 'importers', index, 'volumeMounts', place, 'name')];
    }),
  );
};

/** Containers of the builder Pod that are its own. */
export const OWN_STEP =
  /^(clear-artifacts|list-artifacts|pull-image-(baseimage|[0-9]+)|buildah-build|image-extractor|os-release|kairos-release|build-(uki-(iso|container|uki)|iso|netboot|cloud-image|azure-cloud-image|gce-cloud-image))$/;

const importerNames: Rule = ({ importers = [] }) =>
  importers.flatMap(({ name }, index) => [
    ...(OWN_STEP.test(name) ? [fault(`"${name}" is a step of the build itself`, 'importers', index, 'name')] : []),
    ...(importers.findIndex(other => other.name === name) < index
      ? [fault(`"${name}" is there twice`, 'importers', index, 'name')]
      : []),
  ]);

/** Names of files have 255 bytes at most (limits.h, NAME_MAX), their endings among them. */
const LONGEST_FILE_NAME = 240;

const fileNames: Rule = ({ nameOverride = {} }) =>
  Object.entries(nameOverride).flatMap(([output, name]) =>
    typeof name === 'string' && name.length > LONGEST_FILE_NAME
      ? [
          fault(
            `must have at most ${LONGEST_FILE_NAME} characters, or its file could not be written`,
            'nameOverride',
            output,
          ),
        ]
      : [],
  );

/** A medium and one with a unified kernel image must not bear one name. */
const oneNameEach: Rule = ({ artifacts, nameOverride: { iso, uki } = {} }) =>
  artifacts?.uki?.iso === true &&
  [artifacts.iso, artifacts.netboot].includes(true) &&
  given(uki) &&
  iso === `${uki}-uki`
    ? [fault(`two files would be named ${iso}.iso`, 'nameOverride', 'iso')]
    : [];

export const POD_RULES: readonly Rule[] = [
  volumeNames,
  volumesThere,
  placeToBuild,
  importerMounts,
  importerNames,
  fileNames,
  oneNameEach,
];
