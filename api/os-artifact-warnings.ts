/** What is allowed in an OSArtifact and may still surprise. */
import { idleSettings, requestedOutputs } from './artifact-kinds.js';
import { cutName } from './cut.js';
import type { OSArtifactSpec } from './os-artifact.js';
import { buildWarnings } from './os-artifact-build-warnings.js';
import { isSet } from './os-artifact-faults.js';
import { isDeletedWithPod } from './os-artifact-pod-rules.js';
import { declaresArtifactsVolume } from './passthrough.js';

const isBareWord = (image: string) => /^[a-z0-9][a-z0-9._-]*$/i.test(image);

function bundleNames({ artifacts, bundles = [] }: OSArtifactSpec): string[] {
  const path = artifacts?.bundles ? 'spec.artifacts.bundles' : 'spec.bundles';
  return (artifacts?.bundles ?? bundles).flatMap((bundle, index) =>
    isBareWord(bundle)
      ? [
          `${path}[${index}]: bundles are image references: "${cutName(bundle)}" means "docker.io/library/${cutName(bundle)}:latest"`,
        ]
      : [],
  );
}

const replacedVolumes = ({ exporters = [] }: OSArtifactSpec): string[] =>
  exporters.flatMap((exporter, index) =>
    declaresArtifactsVolume(exporter)
      ? [`spec.exporters[${index}]: its volume artifacts is replaced by the one with the built files`]
      : [],
  );

/** Without an exporter nothing can read the files before the volume is deleted. */
function deletedWithPod({ artifacts, volumes = [], exporters = [] }: OSArtifactSpec): string[] {
  const workVolume = volumes.find(({ name }) => name === artifacts?.volume);
  return workVolume && isDeletedWithPod(workVolume) && exporters.length === 0
    ? [
        `spec.artifacts.volume: "${cutName(workVolume.name)}" is deleted with the builder Pod, and the built files with it`,
      ]
    : [];
}

const withoutEffect = (path: string, isIdle: boolean, why: string): string[] =>
  isIdle ? [`spec.${path}: has no effect ${why}`] : [];

function unusedSettings(spec: OSArtifactSpec): string[] {
  const prefix = spec.artifacts ? 'artifacts.' : '';
  const request = spec.artifacts ?? spec;
  const values: Readonly<Record<string, unknown>> = request;
  return idleSettings(request).flatMap(({ setting, kind }) =>
    withoutEffect(prefix + setting, isSet(values[setting]), `without ${prefix}${kind}`),
  );
}

function unusedCloudConfig({ artifacts }: OSArtifactSpec): string[] {
  const isIdle =
    artifacts?.cloudConfigRef !== undefined && !requestedOutputs(artifacts).some(each => each.hasCloudConfig);
  const why = 'on images and files with a unified kernel image: only ISO images, disks and network boot use it';
  return withoutEffect('artifacts.cloudConfigRef', isIdle, why);
}

const unusedFields = (spec: OSArtifactSpec): string[] => [
  ...unusedSettings(spec),
  ...unusedCloudConfig(spec),
  ...withoutEffect('volume', isSet(spec.volume) && isSet(spec.artifacts?.volume), 'beside artifacts.volume'),
  ...(['dockerfileTemplateValues', 'dockerfileTemplateValuesFrom'] as const).flatMap(name =>
    withoutEffect(
      name,
      spec[name] !== undefined && spec.baseImageDockerfile === undefined,
      'without baseImageDockerfile',
    ),
  ),
];

/** One sentence for each warning, beginning with the path of the field. */
export const osArtifactWarnings = (spec: OSArtifactSpec): string[] => [
  ...bundleNames(spec),
  ...replacedVolumes(spec),
  ...deletedWithPod(spec),
  ...unusedFields(spec),
  ...buildWarnings(spec),
];
