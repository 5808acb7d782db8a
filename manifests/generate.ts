/** Writes all generated manifests: the CRDs from the schemas in api/, then install.yaml, the Helm chart and images.txt from manifests/default. */
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { crdManifest, KIND_DEFINITIONS } from '../api/crd.js';
import { packagingFiles } from '../packaging/generate.js';

/** Path and content of every generated CRD. */
export const crdFiles = (): { path: string; text: string }[] =>
  KIND_DEFINITIONS.map(printed => ({
    path: `manifests/crd/${printed.kind.plural}.yaml`,
    text: stringify(crdManifest(printed), { lineWidth: 0, aliasDuplicateObjects: false }),
  }));

if (process.argv[1]?.endsWith('generate.ts') === true) {
  for (const { path, text } of crdFiles()) writeFileSync(path, text);
  for (const { path, text } of packagingFiles(process.cwd())) writeFileSync(path, text);
}
