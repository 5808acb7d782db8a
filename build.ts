/** Writes dist/: the bundles of both images, and for each image its SBOM and the licence notices of the packages in it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, IMAGES } from './packaging/supply/bundles.js';
import { notices } from './packaging/supply/notices.js';
import { sbom } from './packaging/supply/sbom.js';

const root = process.cwd();
const out = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

mkdirSync(out, { recursive: true });
for (const [image, entries] of Object.entries(IMAGES)) {
  const packages = await bundle(entries, { root, out, version });
  writeFileSync(join(out, `${image}.cdx.json`), sbom({ name: image, version }, packages));
  writeFileSync(join(out, `${image}.THIRD-PARTY-NOTICES`), notices(image, packages));
}
