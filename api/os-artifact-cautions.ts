/** What may surprise about an OSArtifact that is allowed. */
import type { OSArtifactSpec } from './os-artifact.js';

const isBareWord = (image: string) => /^[a-z0-9][a-z0-9._-]*$/i.test(image);

/** Fields that are of no use beside others, or without them. */
function withoutEffect(spec: OSArtifactSpec): string[] {
  const { artifacts, netbootURL, volume } = spec;
  const told = (path: string, isIdle: boolean, why: string) => (isIdle ? [`spec.${path}: has no effect ${why}`] : []);
  const noDockerfile = spec.baseImageDockerfile === undefined;
  return [
    ...told('netbootURL', netbootURL !== undefined && spec.netboot !== true, 'without netboot'),
    ...told(
      'artifacts.netbootURL',
      artifacts?.netbootURL !== undefined && artifacts.netboot !== true,
      'without artifacts.netboot',
    ),
    ...told('volume', volume !== undefined && artifacts?.volume !== undefined, 'beside artifacts.volume'),
    ...(['dockerfileTemplateValues', 'dockerfileTemplateValuesFrom'] as const).flatMap(name =>
      told(name, spec[name] !== undefined && noDockerfile, 'without baseImageDockerfile'),
    ),
  ];
}

/** Sentences for whoever writes the object; each begins with a path. */
export function osArtifactCautions(spec: OSArtifactSpec): string[] {
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
    ...withoutEffect(spec),
  ];
}
