/** Generates from manifests/default: manifests/install.yaml, the Helm chart and manifests/images.txt. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartFiles, type File } from './chart/chart.js';
import { imagesFile } from './images.js';
import { installFile } from './install-file.js';
import { loadInstallation } from './source.js';

/** Paths and contents of the generated files. The CRDs must have been generated before, because they are part of the installation. */
export function packagingFiles(repository: string): File[] {
  const documents = loadInstallation(repository);
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
  return [
    { path: 'manifests/install.yaml', text: installFile(documents) },
    { path: 'manifests/images.txt', text: imagesFile(documents) },
    ...chartFiles(documents, repository, version),
  ];
}
