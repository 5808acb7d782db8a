/** `manifests/install.yaml`: the whole installation in one file, for `kubectl apply -f`. */
import type { Document } from 'yaml';
import { textOf } from './source.js';

const HEAD = `# The whole operator in one file: kubectl apply -f install.yaml
# Printed by "npm run generate" from manifests/default, where the same objects can be changed with kustomize.
`;

/** No separator before the first: not every program skips a document that is a comment alone. */
export const installFile = (documents: readonly Document[]): string => HEAD + documents.map(textOf).join('---\n');
