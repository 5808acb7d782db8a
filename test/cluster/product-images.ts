/** The operator's images, built from the Dockerfiles and the bundles in dist/ as a user would build them, without a registry. */
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
import { nodeBase, copyProgram } from './images.js';
import { withLock } from './lock.js';
import { recordOf } from './process-record.js';
import { cacheFolder, repository, shortHash } from './paths.js';
import { mustRun, run } from './run-command.js';

/** An archive and the name that its image has on a node after the import. */
export interface ProductImage {
  ref: string;
  tar: string;
}

export interface ProductImages {
  /** Controller and webhook. */
  operator: ProductImage;
  agent: ProductImage;
}

/** Commands that the build runs on this machine. The package of buildah has the same name. */
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

/** Both images for the current bundles, built once for the same content. Requires `npm run build`. */
export async function productImages(log: (line: string) => void = () => undefined): Promise<ProductImages> {
  const missing = BUNDLES.filter(file => !existsSync(file));
  if (missing.length > 0) throw new Error(`Run "npm run build" first. These files are missing: ${missing.join(', ')}`);
  const [base, tools] = [await nodeBase(), await toolsImage()];
  const contents = [...BUNDLES, ...FILES].map(file => readFileSync(file));
  const key = shortHash(basename(base.tar), basename(tools.tar), ...contents);
  const images = { operator: imageNamed('kairos-operator', key), agent: imageNamed('kairos-operator-agent', key) };
  await withLock(join(folder(), 'product.lock'), BUILD_SECONDS * 2, async () => {
    if (existsSync(images.operator.tar) && existsSync(images.agent.tar)) return;
    const startedAt = Date.now();
    await withImageStore(async buildah => {
      await buildah('pull', `docker-archive:${base.tar}`);
      await buildah('pull', `docker-archive:${tools.tar}`);
      await build(buildah, 'Dockerfile.webhook', images.operator);
      await build(buildah, 'Dockerfile.agent', images.agent);
    });
    removeOldArchives();
    log(`built the operator's images in ${Math.round((Date.now() - startedAt) / 1000)} s`);
  });
  return images;
}

const folder = () => join(cacheFolder(), 'images');
const imageNamed = (name: string, key: string): ProductImage => ({
  ref: `localhost/${name}:${key}`,
  tar: join(folder(), `${name}-${key}.tar`),
});

/** Every change of a bundle creates two archives of a hundred megabytes, so only those of the last builds are kept. */
const MAX_ARCHIVES = 6;

function removeOldArchives(): void {
  const archives = readdirSync(folder())
    .filter(name => /^kairos-operator-(agent-)?[0-9a-f]{12}\.tar$/.test(name))
    .map(name => ({ file: join(folder(), name), at: statSync(join(folder(), name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { file } of archives.slice(MAX_ARCHIVES)) rmSync(file, { force: true });
}

/** Replaces the Debian image from which the agent's image copies nsenter: the same files at the same paths. */
async function toolsImage(): Promise<ProductImage> {
  const tar = join(folder(), `tools-${shortHash(TOOLS_REF, baseRootKey)}.tar`);
  if (existsSync(tar)) return { ref: TOOLS_REF, tar };
  const base = await ensureBaseRoot(() => undefined);
  return await withLock(`${tar}.lock`, BUILD_SECONDS, async () => {
    const root = `${tar}.draft`;
    rmSync(root, { recursive: true, force: true });
    mkdirSync(join(root, 'usr/lib'), { recursive: true });
    symlinkSync('usr/lib', join(root, 'lib')); // as in Debian, where /lib is a link to /usr/lib
    await copyProgram(root, base, '/usr/bin/nsenter');
    for (const name of DEBIAN_PACKAGES.map(debianPackage => debianPackage.name)) {
      const doc = join(root, 'usr/share/doc', name);
      mkdirSync(doc, { recursive: true });
      writeFileSync(
        join(doc, 'copyright'),
        `Placeholder for the licence of ${name}: the base system contains no documentation.\n`,
      );
    }
    await writeArchive({ ref: TOOLS_REF, root, tar, config: { Cmd: ['/usr/bin/nsenter'] } });
    rmSync(root, { recursive: true, force: true });
    return { ref: TOOLS_REF, tar };
  });
}

type Buildah = (verb: string, ...args: readonly string[]) => Promise<string>;

/** Runs `work` with a temporary image store and removes it afterwards, mounts included. Uses overlays if the kernel allows them there, otherwise copies. */
async function withImageStore(work: (buildah: Buildah) => Promise<void>): Promise<void> {
  const store = join(folder(), `store-${process.pid}`);
  await removeAbandonedStores();
  const withDriver = (driver: string): Buildah => {
    const storeFlags = ['--root', join(store, 'root'), '--runroot', join(store, 'run'), '--storage-driver', driver];
    return (verb, ...args) => mustRun('buildah', [...storeFlags, verb, ...args], { seconds: BUILD_SECONDS });
  };
  try {
    const overlay = withDriver('overlay');
    const canOverlay = await overlay('images').then(
      () => true,
      () => false,
    );
    if (!canOverlay) await removeStore(store);
    await work(canOverlay ? overlay : withDriver('vfs'));
  } finally {
    await removeStore(store);
  }
}

/** Removes the stores and mounts of builds that were killed. */
async function removeAbandonedStores(): Promise<void> {
  for (const name of readdirSync(folder())) {
    const [, pid] = /^store-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && recordOf(Number(pid)) === undefined) await removeStore(join(folder(), name));
  }
}

/** Unmounts everything below the store, innermost first, and removes it. */
async function removeStore(store: string): Promise<void> {
  for (const mountPoint of mountsUnder(store).reverse()) await run('umount', [mountPoint], { seconds: 20 });
  rmSync(store, { recursive: true, force: true });
}

/** Mount points in the folder, oldest first. */
export function mountsUnder(path: string): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(point => point === path || point.startsWith(`${path}/`));
}

async function build(buildah: Buildah, dockerfile: string, image: ProductImage): Promise<void> {
  const bases = ['--build-arg', `BASE_IMAGE=${BASE_REF}`, '--build-arg', `TOOLS_IMAGE=${TOOLS_REF}`];
  const isolation = ['--pull-never', '--isolation', 'chroot', '--network', 'host', '--timestamp', '0'];
  const file = ['--file', join(repository, dockerfile), '--tag', image.ref, repository];
  await buildah('bud', ...isolation, ...bases, ...file);
  const draft = `${image.tar}.draft`;
  rmSync(draft, { force: true });
  await buildah('push', image.ref, `docker-archive:${draft}:${image.ref}`);
  renameSync(draft, image.tar);
}
