/** What is told of the bundles is exactly what is in them, and making them again makes the same. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundle, IMAGES, OPTIONAL } from '../../packaging/supply/bundles.js';
import { chosenLicence } from '../../packaging/supply/licences.js';
import { DEBIAN_PACKAGES } from '../../packaging/supply/debian-packages.js';
import { notices } from '../../packaging/supply/notices.js';
import { type Package, packagesIn } from '../../packaging/supply/packages.js';
import { sbom } from '../../packaging/supply/sbom.js';
import { repository } from '../cluster/places.js';

jest.setTimeout(300_000); // a dozen bundles

const VERSION = '1.2.3';

interface Lock {
  packages: Record<string, { dev?: boolean }>;
}

interface Made {
  packages: Package[];
  sbom: string;
  notices: string;
}

let place: string;
const made: Record<string, Made> = {};

beforeAll(async () => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'operator-supply-')));
  Object.assign(made, await all(repository, join(place, 'here')));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

async function all(root: string, out: string): Promise<Record<string, Made>> {
  const images: Record<string, Made> = {};
  for (const [image, entries] of Object.entries(IMAGES)) {
    const packages = await bundle(entries, { root, out, version: VERSION });
    const texts = { sbom: sbom({ name: image, version: VERSION }, packages), notices: notices(image, packages) };
    images[image] = { packages, ...texts };
  }
  return images;
}

const filesIn = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'base64')]));

describe('bundles', () => {
  test('of another folder have the same bytes, and so have their SBOM and notices', async () => {
    const elsewhere = join(place, 'a longer name/checkout');
    const rooms = ['agent', 'api', 'certs', 'controller', 'kube', 'program', 'webhook'];
    for (const name of [...rooms, 'package.json', 'package-lock.json', 'tsconfig.json'])
      cpSync(join(repository, name), join(elsewhere, name), { recursive: true });
    copyPackages(elsewhere);
    expect(await all(elsewhere, join(place, 'there'))).toEqual(made);
    expect(filesIn(join(place, 'there'))).toEqual(filesIn(join(place, 'here')));
  });

  test('name no folder of the machine that made them', () => {
    for (const name of readdirSync(join(place, 'here')))
      expect(readFileSync(join(place, 'here', name), 'utf8')).not.toContain(repository);
  });
});

/** Those that are not for developing alone. */
function copyPackages(elsewhere: string): void {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock;
  for (const [path, { dev = false }] of Object.entries(packages))
    if (!dev && /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && existsSync(join(repository, path)))
      cpSync(join(repository, path), join(elsewhere, path), { recursive: true });
}

/** Folders of node_modules that esbuild took something from, found in another way than the product does it. */
async function takenFrom(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: repository,
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    external: OPTIONAL,
    metafile: true,
    write: false,
    outfile: 'any.cjs',
    logLevel: 'error',
  });
  const inputs = Object.values(metafile.outputs)[0]?.inputs ?? {};
  const used = Object.keys(inputs).filter(file => (inputs[file]?.bytesInOutput ?? 0) > 0);
  return used
    .filter(file => file.includes('node_modules/'))
    .map(file => {
      const parts = file.split('/');
      const at = parts.lastIndexOf('node_modules');
      return parts.slice(parts.indexOf('node_modules'), at + (parts[at + 1]?.startsWith('@') ? 3 : 2)).join('/');
    });
}

describe.each(Object.keys(IMAGES))('%s', image => {
  const components = () =>
    (
      JSON.parse(made[image]?.sbom ?? '') as { components: { 'bom-ref': string; licenses: object[]; purl: string }[] }
    ).components.filter(({ purl }) => purl.startsWith('pkg:npm/'));

  test('its SBOM lists every package that is in a bundle, and no other', async () => {
    const folders = await Promise.all(Object.values(IMAGES[image] ?? {}).map(takenFrom));
    const listed = components().map(component => component['bom-ref'].split('#')[1] ?? '');
    expect(listed.toSorted()).toEqual([...new Set(folders.flat())].toSorted());
  });

  test('its SBOM is about this image, and numbered by its content', () => {
    const about = JSON.parse(made[image]?.sbom ?? '') as object;
    expect(about).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      metadata: { component: { name: image, version: VERSION } },
    });
    const { packages = [], sbom: text } = made[image] ?? {};
    expect(sbom({ name: image, version: VERSION }, packages)).toBe(text);
    expect(sbom({ name: image, version: VERSION }, packages.slice(1))).not.toContain(
      (about as { serialNumber: string }).serialNumber,
    );
  });

  test('each package is listed with its licence and its hash', () => {
    for (const component of components())
      expect(component).toMatchObject({
        purl: expect.stringMatching(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d/),
        licenses: [{ license: { id: expect.any(String) } }],
        hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
      });
  });

  test('nothing is bundled that was installed for developing alone', () => {
    const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock;
    const { packages: bundled = [] } = made[image] ?? {};
    expect(bundled.filter(({ path }) => packages[path]?.dev !== undefined)).toEqual([]);
  });

  test('its notices have the licence of every package, word by word', () => {
    const { packages = [], notices: text = '' } = made[image] ?? {};
    expect(packages.length).toBeGreaterThan(5);
    for (const { name, version, texts } of packages) {
      expect(text).toContain(`\n${name} ${version}\n`);
      for (const one of texts) expect(text).toContain(one);
    }
  });

  test('its notices have what single files say of code that came from others', () => {
    const { packages = [], notices: text = '' } = made[image] ?? {};
    for (const { comments } of packages) for (const one of comments) expect(text).toContain(one);
  });

  test('its Dockerfile copies them', () => {
    const dockerfile = `Dockerfile.${image === 'kairos-operator' ? 'webhook' : 'agent'}`;
    expect(readFileSync(join(repository, dockerfile), 'utf8')).toContain(
      `COPY --chmod=0644 LICENSE dist/${image}.THIRD-PARTY-NOTICES dist/${image}.cdx.json /licenses/`,
    );
  });
});

test.each([
  'Copyright (c) 2003-2005  Tom Wu',
  'Copyright base-x contributors (c) 2016',
  'Copyright Fedor Indutny, 2018.',
])('the controller and the webhook carry the notice %j, which stands in a file alone', notice => {
  expect(made['kairos-operator']?.notices).toContain(notice);
});

describe('licences', () => {
  test.each([
    ['MIT', 'MIT'],
    ['(BSD-3-Clause OR GPL-2.0)', 'BSD-3-Clause'],
    ['GPL-2.0 OR MIT', 'MIT'],
    ['MIT AND Apache-2.0', 'MIT AND Apache-2.0'],
    ['MIT AND GPL-3.0-only', undefined],
    ['GPL-3.0-only', undefined],
    ['UNLICENSED', undefined],
    ['SEE LICENSE IN LICENSE.txt', undefined],
    ['MIT OR (GPL-2.0 AND ISC)', undefined],
  ])('of %j %j is taken', (expression, chosen) => {
    expect(chosenLicence(expression)).toBe(chosen);
  });

  const one = { path: 'node_modules/a', name: 'a', version: '1.0.0', texts: ['Text of it'], comments: [] };

  test('a licence that nobody has allowed stops the build', () => {
    expect(() => notices('any', [{ ...one, licence: 'AGPL-3.0-only' }])).toThrow('a: AGPL-3.0-only is not among');
  });

  test('so does one whose text is missing', () => {
    expect(() => notices('any', [{ ...one, licence: 'MIT', texts: [] }])).toThrow('a: MIT wants its text');
  });

  test('one that asks for nothing needs no text', () => {
    expect(notices('any', [{ ...one, licence: 'Unlicense', texts: [] }])).toContain('a 1.0.0\nLicence: Unlicense');
  });

  test('a package of which no byte is left is not listed', () => {
    const inputs = { 'node_modules/express/index.js': { bytesInOutput: 0 } };
    const metafile = { inputs: {}, outputs: { 'a.cjs': { bytes: 0, inputs, imports: [], exports: [] } } };
    expect(packagesIn(metafile, repository)).toEqual([]);
  });
});

describe('the images', () => {
  const dockerfiles = ['Dockerfile.webhook', 'Dockerfile.agent', 'manifests/bundle/Dockerfile'];

  test.each(dockerfiles)('%s says what it is, of which version, from where and under which licence', file => {
    const text = readFileSync(join(repository, file), 'utf8');
    for (const label of ['title', 'description', 'licenses', 'version', 'revision', 'source'])
      expect(text).toMatch(new RegExp(`org\\.opencontainers\\.image\\.${label}="`));
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
    expect(text).toContain(`ARG VERSION=${version}\n`);
  });

  test.each(dockerfiles)('%s says the mode of everything it copies: whoever builds it may have any umask', file => {
    const copies = readFileSync(join(repository, file), 'utf8').match(/^COPY .*/gm) ?? [];
    expect(copies.length).toBeGreaterThan(1);
    for (const copy of copies) expect(copy).toMatch(/ --chmod=0(644|755) /);
  });

  test('that of the agent has the licence of each package of Debian that it takes files from', () => {
    const text = readFileSync(join(repository, 'Dockerfile.agent'), 'utf8');
    for (const { name } of DEBIAN_PACKAGES)
      expect(text).toContain(`/usr/share/doc/${name}/copyright /licenses/${name}.copyright\n`);
    expect(made['kairos-operator-agent']?.sbom).toContain('"purl": "pkg:deb/debian/util-linux"');
    expect(made['kairos-operator']?.sbom).not.toContain('pkg:deb');
  });

  test.each(dockerfiles.slice(0, 2))(
    'the base of %s can be named by its digest, and the image says which it was',
    file => {
      const text = readFileSync(join(repository, file), 'utf8');
      const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
      expect(bases.every(base => /^\$\{(BASE|TOOLS)_IMAGE\}$/.test(base ?? ''))).toBe(true);
      expect(text).toContain('org.opencontainers.image.base.name="${BASE_IMAGE}"');
      expect(text).not.toMatch(/^RUN/m); // nothing that could come out differently
    },
  );
});
