/** SBOM and notices match the bundles exactly, and building again produces the same files. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundle, IMAGES, OPTIONAL_PACKAGES } from '../../packaging/supply/bundles.js';
import { chosenLicence } from '../../packaging/supply/licences.js';
import { DEBIAN_PACKAGES } from '../../packaging/supply/debian-packages.js';
import { notices } from '../../packaging/supply/notices.js';
import { type Package, packagesIn } from '../../packaging/supply/packages.js';
import { sbom } from '../../packaging/supply/sbom.js';
import { repository } from '../cluster/paths.js';

jest.setTimeout(300_000); // builds a dozen bundles

const VERSION = '1.2.3';

interface Lock {
  packages: Record<string, { dev?: boolean }>;
}

interface Built {
  packages: Package[];
  sbom: string;
  notices: string;
}

let temporaryFolder: string;
const built: Record<string, Built> = {};

beforeAll(async () => {
  temporaryFolder = realpathSync(mkdtempSync(join(tmpdir(), 'operator-supply-')));
  Object.assign(built, await buildAll(repository, join(temporaryFolder, 'first')));
});
afterAll(() => rmSync(temporaryFolder, { recursive: true, force: true }));

async function buildAll(root: string, out: string): Promise<Record<string, Built>> {
  const images: Record<string, Built> = {};
  for (const [image, entries] of Object.entries(IMAGES)) {
    const packages = await bundle(entries, { root, out, version: VERSION });
    const texts = { sbom: sbom({ name: image, version: VERSION }, packages), notices: notices(image, packages) };
    images[image] = { packages, ...texts };
  }
  return images;
}

const filesIn = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'base64')]));

describe('the bundles', () => {
  test('are byte for byte the same when built in another folder, like their SBOM and notices', async () => {
    const otherRoot = join(temporaryFolder, 'a longer name/checkout');
    const sources = ['agent', 'api', 'certs', 'controller', 'kube', 'program', 'webhook'];
    for (const name of [...sources, 'package.json', 'package-lock.json', 'tsconfig.json'])
      cpSync(join(repository, name), join(otherRoot, name), { recursive: true });
    copyPackages(otherRoot);
    expect(await buildAll(otherRoot, join(temporaryFolder, 'second'))).toEqual(built);
    expect(filesIn(join(temporaryFolder, 'second'))).toEqual(filesIn(join(temporaryFolder, 'first')));
  });

  test('contain no path of the machine that built them', () => {
    for (const name of readdirSync(join(temporaryFolder, 'first')))
      expect(readFileSync(join(temporaryFolder, 'first', name), 'utf8')).not.toContain(repository);
  });
});

/** Copies the packages that are not development dependencies. */
function copyPackages(otherRoot: string): void {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock;
  for (const [path, { dev = false }] of Object.entries(packages))
    if (!dev && /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && existsSync(join(repository, path)))
      cpSync(join(repository, path), join(otherRoot, path), { recursive: true });
}

/** Package folders whose code esbuild bundles, determined independently of packaging/supply. */
async function bundledFolders(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: repository,
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    external: OPTIONAL_PACKAGES,
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
      JSON.parse(built[image]?.sbom ?? '') as { components: { 'bom-ref': string; licenses: object[]; purl: string }[] }
    ).components.filter(({ purl }) => purl.startsWith('pkg:npm/'));

  test('the SBOM lists exactly the bundled packages', async () => {
    const folders = await Promise.all(Object.values(IMAGES[image] ?? {}).map(bundledFolders));
    const listed = components().map(component => component['bom-ref'].split('#')[1] ?? '');
    expect(listed.toSorted()).toEqual([...new Set(folders.flat())].toSorted());
  });

  test('the SBOM names the image, and its serial number depends on the content', () => {
    const document = JSON.parse(built[image]?.sbom ?? '') as object;
    expect(document).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      metadata: { component: { name: image, version: VERSION } },
    });
    const { packages = [], sbom: text } = built[image] ?? {};
    expect(sbom({ name: image, version: VERSION }, packages)).toBe(text);
    expect(sbom({ name: image, version: VERSION }, packages.slice(1))).not.toContain(
      (document as { serialNumber: string }).serialNumber,
    );
  });

  test('the SBOM lists each package with its licence and its hash', () => {
    for (const component of components())
      expect(component).toMatchObject({
        purl: expect.stringMatching(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d/),
        licenses: [{ license: { id: expect.any(String) } }],
        hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
      });
  });

  test('no development dependency is bundled', () => {
    const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock;
    const { packages: bundled = [] } = built[image] ?? {};
    expect(bundled.filter(({ path }) => packages[path]?.dev !== undefined)).toEqual([]);
  });

  test('the notices contain the verbatim licence of every package', () => {
    const { packages = [], notices: text = '' } = built[image] ?? {};
    expect(packages.length).toBeGreaterThan(5);
    for (const { name, version, texts } of packages) {
      expect(text).toContain(`\n${name} ${version}\n`);
      for (const one of texts) expect(text).toContain(one);
    }
  });

  test('the notices contain the legal comments of single source files', () => {
    const { packages = [], notices: text = '' } = built[image] ?? {};
    for (const { comments } of packages) for (const one of comments) expect(text).toContain(one);
  });

  test('the Dockerfile copies SBOM and notices', () => {
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
])('the image of controller and webhook carries the notice %j from a single source file', notice => {
  expect(built['kairos-operator']?.notices).toContain(notice);
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
  ])('the expression %j allows %j', (expression, chosen) => {
    expect(chosenLicence(expression)).toBe(chosen);
  });

  const one = { path: 'node_modules/a', name: 'a', version: '1.0.0', texts: ['Text of it'], comments: [] };

  test('a licence that is not allowed fails the build', () => {
    expect(() => notices('any', [{ ...one, licence: 'AGPL-3.0-only' }])).toThrow(
      'a: AGPL-3.0-only is not an allowed licence',
    );
  });

  test('a missing licence text fails the build', () => {
    expect(() => notices('any', [{ ...one, licence: 'MIT', texts: [] }])).toThrow('a: MIT requires its licence text');
  });

  test('a licence without text requirement is accepted without its text', () => {
    expect(notices('any', [{ ...one, licence: 'Unlicense', texts: [] }])).toContain('a 1.0.0\nLicence: Unlicense');
  });

  test('a package of which the bundler kept no byte is not listed', () => {
    const inputs = { 'node_modules/express/index.js': { bytesInOutput: 0 } };
    const metafile = { inputs: {}, outputs: { 'a.cjs': { bytes: 0, inputs, imports: [], exports: [] } } };
    expect(packagesIn(metafile, repository)).toEqual([]);
  });
});

describe('the images', () => {
  const dockerfiles = ['Dockerfile.webhook', 'Dockerfile.agent', 'manifests/bundle/Dockerfile'];

  test.each(dockerfiles)('%s labels the image with title, version, source and licence', file => {
    const text = readFileSync(join(repository, file), 'utf8');
    for (const label of ['title', 'description', 'licenses', 'version', 'revision', 'source'])
      expect(text).toMatch(new RegExp(`org\\.opencontainers\\.image\\.${label}="`));
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
    expect(text).toContain(`ARG VERSION=${version}\n`);
  });

  test.each(dockerfiles)(
    '%s sets the mode of everything it copies, so that the umask of the build has no effect',
    file => {
      const copies = readFileSync(join(repository, file), 'utf8').match(/^COPY .*/gm) ?? [];
      expect(copies.length).toBeGreaterThan(1);
      for (const copy of copies) expect(copy).toMatch(/ --chmod=0(644|755) /);
    },
  );

  test('Dockerfile.agent copies the licence of each Debian package that it copies files from', () => {
    const text = readFileSync(join(repository, 'Dockerfile.agent'), 'utf8');
    for (const { name } of DEBIAN_PACKAGES)
      expect(text).toContain(`/usr/share/doc/${name}/copyright /licenses/${name}.copyright\n`);
    expect(built['kairos-operator-agent']?.sbom).toContain('"purl": "pkg:deb/debian/util-linux"');
    expect(built['kairos-operator']?.sbom).not.toContain('pkg:deb');
  });

  test.each(dockerfiles.slice(0, 2))('the base of %s is a build argument and recorded in a label', file => {
    const text = readFileSync(join(repository, file), 'utf8');
    const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases.every(base => /^\$\{(BASE|TOOLS)_IMAGE\}$/.test(base ?? ''))).toBe(true);
    expect(text).toContain('org.opencontainers.image.base.name="${BASE_IMAGE}"');
    expect(text).not.toMatch(/^RUN/m); // a command could make the image depend on when it is built
  });
});
