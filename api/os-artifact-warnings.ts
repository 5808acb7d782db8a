/** What may surprise about an OSArtifact that is allowed. */
import type { OSArtifactSpec } from './os-artifact.js';
import { given } from './os-artifact-faults.js';
import { endsWithPod } from './os-artifact-pod-rules.js';

type Artifacts = NonNullable<OSArtifactSpec['artifacts']>;

const isBareWord = (image: string) => /^[a-z0-9][a-z0-9._-]*$/i.test(image);

const takesCloudConfig = ({ iso, netboot, cloudImage, azureImage, gceImage, uki }: Artifacts): boolean =>
  [iso, netboot, cloudImage, azureImage, gceImage, uki?.iso].some(wanted => wanted === true);

/** Nobody will find it there. */
function lostWithPod({ artifacts, volumes = [], exporters = [] }: OSArtifactSpec): string[] {
  const place = volumes.find(({ name }) => name === artifacts?.volume);
  return place && endsWithPod(place) && exporters.length === 0
    ? [`spec.artifacts.volume: "${place.name}" ends with the builder Pod, and what was built goes with it`]
    : [];
}

/** Fields that are of no use beside others, or without them. */
function withoutEffect(spec: OSArtifactSpec): string[] {
  const { artifacts, netbootURL, volume } = spec;
  const told = (path: string, isIdle: boolean, why: string) => (isIdle ? [`spec.${path}: has no effect ${why}`] : []);
  const noDockerfile = spec.baseImageDockerfile === undefined;
  return [
    ...told('netbootURL', given(netbootURL) && spec.netboot !== true, 'without netboot'),
    ...told(
      'artifacts.netbootURL',
      given(artifacts?.netbootURL) && artifacts?.netboot !== true,
      'without artifacts.netboot',
    ),
    ...told(
      'artifacts.cloudConfigRef',
      artifacts?.cloudConfigRef !== undefined && !takesCloudConfig(artifacts),
      'on an image or a file with a unified kernel image: only media and disks carry it',
    ),
    ...told('volume', given(volume) && given(artifacts?.volume), 'beside artifacts.volume'),
    ...(['dockerfileTemplateValues', 'dockerfileTemplateValuesFrom'] as const).flatMap(name =>
      told(name, spec[name] !== undefined && noDockerfile, 'without baseImageDockerfile'),
    ),
  ];
}

/** Sentences for whoever writes the object; each begins with a path. */
export function osArtifactWarnings(spec: OSArtifactSpec): string[] {
  const nested = spec.artifacts?.bundles;
  const path = nested ? 'spec.artifacts.bundles' : 'spec.bundles';
  return [
    ...(nested ?? spec.bundles ?? []).flatMap((bundle, index) =>
      isBareWord(bundle)
        ? [
            `${path}[${index}]: bundles are references of images: "${bundle}" means "docker.io/library/${bundle}:latest"`,
          ]
        : [],
    ),
    ...(spec.exporters ?? []).flatMap(({ template }, index) =>
      (template.spec.volumes ?? []).some(({ name }) => name === 'artifacts')
        ? [`spec.exporters[${index}]: its own volume artifacts is replaced by the one with the built files`]
        : [],
    ),
    ...lostWithPod(spec),
    ...withoutEffect(spec),
  ];
}
