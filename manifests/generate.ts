/** Prints manifests/crd/*.yaml from the schemas in api/, and from all manifests the one file, the chart and the list of images. */
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { crdOf, PRINTED } from '../api/crd.js';
import { packaged } from '../packaging/generate.js';

/** File name and text of every generated CRD. */
export const generated = (): { path: string; text: string }[] =>
  PRINTED.map(printed => ({
    path: `manifests/crd/${printed.kind.plural}.yaml`,
    text: stringify(crdOf(printed), { lineWidth: 0, aliasDuplicateObjects: false }),
  }));

if (process.argv[1]?.endsWith('generate.ts') === true) {
  for (const { path, text } of generated()) writeFileSync(path, text);
  for (const { path, text } of packaged(process.cwd())) writeFileSync(path, text);
}
