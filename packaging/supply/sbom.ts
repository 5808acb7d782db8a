/** Generates the CycloneDX SBOM of what an image adds to its base. It contains no timestamp and no random value, so that the same bundles have the same SBOM. */
import { createHash } from 'node:crypto';
import { debianPackagesOf } from './debian-packages.js';
import { chosenLicence } from './licences.js';
import type { Package } from './packages.js';

export interface Subject {
  name: string;
  version: string;
}

export const purl = ({ name, version }: Subject): string =>
  `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;

/** One component per npm package and per Debian package. Several copies of a package are several components. */
export function sbom(image: Subject, packages: readonly Package[]): string {
  const components = [...packages.map(component), ...debianPackagesOf(image.name)];
  const self = `${image.name}@${image.version}`;
  const body = {
    metadata: {
      component: {
        type: 'container',
        'bom-ref': self,
        name: image.name,
        version: image.version,
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components,
    dependencies: [{ ref: self, dependsOn: components.map(each => each['bom-ref']) }],
  };
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: serialOf(body), version: 1, ...body }, null, 2)}\n`;
}

function component(one: Package) {
  const [scope, short] = one.name.startsWith('@') ? one.name.split('/') : [undefined, one.name];
  const licence = chosenLicence(one.licence);
  return {
    type: 'library',
    'bom-ref': `${purl(one)}#${one.path}`,
    ...(scope === undefined ? {} : { group: scope }),
    name: short ?? one.name,
    version: one.version,
    ...(one.sha512 === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: one.sha512 }] }),
    licenses: licence === undefined ? [{ expression: one.licence }] : [{ license: { id: licence } }],
    purl: purl(one),
  };
}

/** A UUID derived from the content. */
function serialOf(body: object): string {
  const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  const parts = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
}
