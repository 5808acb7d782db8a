/** Everything under manifests/ that is printed from manifests/default: the one file, the chart, the list of images. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartFiles, type File } from './chart/chart.js';
import { imagesFile } from './images.js';
import { installFile } from './install-file.js';
import { installation } from './source.js';

/** Path and text of each; the CRDs must have been printed before. */
export function packaged(repository: string): File[] {
  const documents = installation(repository);
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
  return [
    { path: 'manifests/install.yaml', text: installFile(documents) },
    { path: 'manifests/images.txt', text: imagesFile(documents) },
    ...chartFiles(documents, repository, version),
  ];
}
