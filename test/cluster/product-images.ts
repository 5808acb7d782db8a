/** The product's own images, built from the Dockerfiles and the bundles in dist/ as a user would, without a registry. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { DEBIAN_PACKAGES } from '../../packaging/supply/debian-packages.js';
import { writeArchive } from './archive.js';
import { baseRootKey, ensureBaseRoot } from './base-root.js';
import { nodeBase, programInto } from './images.js';
import { withLock } from './lock.js';
import { recordOf } from './process-record.js';
import { cacheFolder, repository, shortHash } from './places.js';
import { mustRun, run } from './run-command.js';

/** A name that nodes know after the archive was imported, and the archive. */
export interface ProductImage {
  ref: string;
  tar: string;
}

export interface ProductImages {
  /** Controller and webhook. */
  operator: ProductImage;
  agent: ProductImage;
}

/** The program of the machine that building needs; `ensurePackages` knows it as a package of the same name. */
export const IMAGE_TOOLS = ['buildah', 'tar', 'strip'] as const;

const BUNDLES = [
  ...['controller', 'webhook', 'agent', 'systeminformation'].map(name => `${name}.cjs`),
  ...['kairos-operator', 'kairos-operator-agent'].flatMap(name => [`${name}.cdx.json`, `${name}.THIRD-PARTY-NOTICES`]),
].map(name => join(repository, 'dist', name));
const FILES = ['Dockerfile.webhook', 'Dockerfile.agent', '.dockerignore', 'LICENSE'].map(name =>
  join(repository, name),
);
const BASE_REF = 'localhost/kairos-operator-base:24';
const TOOLS_REF = 'localhost/kairos-operator-tools:2';
const BUILD_SECONDS = 300;

/** Both images for the bundles as they are now; made once for the same content. Needs `npm run build` before. */
export async function productImages(say: (line: string) => void = () => undefined): Promise<ProductImages> {
  const missing = BUNDLES.filter(file => !existsSync(file));
  if (missing.length > 0) throw new Error(`run "npm run build" first: there is no ${missing.join(', ')}`);
  const [base, tools] = [await nodeBase(), await toolsImage()];
  const contents = [...BUNDLES, ...FILES].map(file => readFileSync(file));
  const key = shortHash(basename(base.tar), basename(tools.tar), ...contents);
  const images = { operator: named('kairos-operator', key), agent: named('kairos-operator-agent', key) };
  await withLock(join(folder(), 'product.lock'), BUILD_SECONDS * 2, async () => {
    if (existsSync(images.operator.tar) && existsSync(images.agent.tar)) return;
    const begin = Date.now();
    await inStore(async buildah => {
      await buildah('pull', `docker-archive:${base.tar}`);
      await buildah('pull', `docker-archive:${tools.tar}`);
      await build(buildah, 'Dockerfile.webhook', images.operator);
      await build(buildah, 'Dockerfile.agent', images.agent);
    });
    removeOld();
    say(`built the product's images in ${Math.round((Date.now() - begin) / 1000)} s`);
  });
  return images;
}

const folder = () => join(cacheFolder(), 'images');
const named = (name: string, key: string): ProductImage => ({
  ref: `localhost/${name}:${key}`,
  tar: join(folder(), `${name}-${key}.tar`),
});

/** Every change of a bundle makes two archives of a hundred megabytes; those of a few builds are enough. */
const KEPT = 6;

function removeOld(): void {
  const archives = readdirSync(folder())
    .filter(name => /^kairos-operator-(agent-)?[0-9a-f]{12}\.tar$/.test(name))
    .map(name => ({ file: join(folder(), name), at: statSync(join(folder(), name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { file } of archives.slice(KEPT)) rmSync(file, { force: true });
}

/** Stands in for the Debian image that lends nsenter: the same files at the same places. */
async function toolsImage(): Promise<ProductImage> {
  const tar = join(folder(), `tools-${shortHash(TOOLS_REF, baseRootKey)}.tar`);
  if (existsSync(tar)) return { ref: TOOLS_REF, tar };
  const base = await ensureBaseRoot(() => undefined);
  return await withLock(`${tar}.lock`, BUILD_SECONDS, async () => {
    const root = `${tar}.draft`;
    rmSync(root, { recursive: true, force: true });
    mkdirSync(join(root, 'usr/lib'), { recursive: true });
    symlinkSync('usr/lib', join(root, 'lib')); // as in Debian: libraries named in /lib lie in /usr/lib
    await programInto(root, base, '/usr/bin/nsenter');
    for (const name of DEBIAN_PACKAGES.map(lent => lent.name)) {
      const doc = join(root, 'usr/share/doc', name);
      mkdirSync(doc, { recursive: true });
      writeFileSync(
        join(doc, 'copyright'),
        `Stands in for the licence of ${name}: the base system has no documents.\n`,
      );
    }
    await writeArchive({ ref: TOOLS_REF, root, tar, config: { Cmd: ['/usr/bin/nsenter'] } });
    rmSync(root, { recursive: true, force: true });
    return { ref: TOOLS_REF, tar };
  });
}

type Buildah = (verb: string, ...args: readonly string[]) => Promise<string>;

/** Lends an image store that is gone afterwards, mounts included. Overlays where the kernel allows them here, else plain copies. */
async function inStore(work: (buildah: Buildah) => Promise<void>): Promise<void> {
  const store = join(folder(), `store-${process.pid}`);
  await removeAbandoned();
  const withDriver = (driver: string): Buildah => {
    const place = ['--root', join(store, 'root'), '--runroot', join(store, 'run'), '--storage-driver', driver];
    return (verb, ...args) => mustRun('buildah', [...place, verb, ...args], { seconds: BUILD_SECONDS });
  };
  try {
    const overlay = withDriver('overlay');
    const works = await overlay('images').then(
      () => true,
      () => false,
    );
    if (!works) await removeStore(store);
    await work(works ? overlay : withDriver('vfs'));
  } finally {
    await removeStore(store);
  }
}

/** A build that was killed left its store, and what it had mounted there. */
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(folder())) {
    const [, pid] = /^store-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && recordOf(Number(pid)) === undefined) await removeStore(join(folder(), name));
  }
}

/** Unmounts what the store mounted, the innermost first, and removes it. */
async function removeStore(store: string): Promise<void> {
  for (const place of mountsUnder(store).reverse()) await run('umount', [place], { seconds: 20 });
  rmSync(store, { recursive: true, force: true });
}

/** Mount points in that folder, in the order they were made. */
export function mountsUnder(place: string): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(point => point === place || point.startsWith(`${place}/`));
}

async function build(buildah: Buildah, dockerfile: string, image: ProductImage): Promise<void> {
  const bases = ['--build-arg', `BASE_IMAGE=${BASE_REF}`, '--build-arg', `TOOLS_IMAGE=${TOOLS_REF}`];
  const closed = ['--pull-never', '--isolation', 'chroot', '--network', 'host', '--timestamp', '0'];
  const file = ['--file', join(repository, dockerfile), '--tag', image.ref, repository];
  await buildah('bud', ...closed, ...bases, ...file);
  const draft = `${image.tar}.draft`;
  rmSync(draft, { force: true });
  await buildah('push', image.ref, `docker-archive:${draft}:${image.ref}`);
  renameSync(draft, image.tar);
}
