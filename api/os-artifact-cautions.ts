/** What may surprise about an OSArtifact that is allowed. */
import type { OSArtifactSpec } from './os-artifact.js';

const isBareWord = (image: string) => /^[a-z0-9][a-z0-9._-]*$/i.test(image);

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
    ...(spec.netbootURL !== undefined && spec.netboot !== true
      ? ['spec.netbootURL: has no effect without netboot']
      : []),
  ];
}
