/** The images that the tests build and serve OSArtifacts with: Debian's tools behind the command lines of auroraboot, luet and buildah, a small bootable system, and nginx. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { writeArchive } from './archive.js';
import { artifactRoot, artifactRootKey } from './artifact-root.js';
import type { Image } from './images.js';
import { withLock } from './lock.js';
import { cacheFolder, repository, shortHash } from './paths.js';
import type { ProductImage } from './product-images.js';
import { mustRun } from './run-command.js';

const folder = join(repository, 'test/cluster/artifact-tools');
/** Scripts in one folder of the image. */
const AURORABOOT = ['auroraboot', 'unpack.sh', 'boot.sh', 'media.sh', 'disks.sh', 'uki.sh'] as const;
/** Settings of buildah and skopeo: no signatures, the tests' registries without TLS, and the vfs storage driver, since an overlay cannot be mounted on an overlay. */
const SETTINGS = ['policy.json', 'registries.conf', 'storage.conf'] as const;
/** Files of the root that are used on the test machine or in another image, and not by builds. */
const EXCLUDED_FROM_TOOLS = ['usr/share/OVMF', 'usr/share/ovmf', 'usr/share/qemu', 'usr/sbin/nginx', 'usr/share/nginx'];

/** Files of the server image: nginx, the program that removes unfinished uploads, and the files that both read. */
const NGINX = ['/usr/sbin/nginx', '/usr/bin/rm', '/etc/nginx/mime.types', '/etc/passwd', '/etc/group'];

export interface ArtifactImages {
  /** Tool image and buildah image in one, with curl. */
  tools: ProductImage;
  /** A bootable system of twenty megabytes that is not a Kairos system. */
  system: Image;
  nginx: Image;
  /** Folder with firmware for emulated machines: `OVMF_CODE…` and `OVMF_VARS…`, and a key pair that the latter trusts. */
  firmware: string;
}

/** Builds the images, unless they exist for the current content of the scripts. */
export async function artifactImages(report: (line: string) => void = () => undefined): Promise<ArtifactImages> {
  const files = [...AURORABOOT, 'luet', ...SETTINGS, 'make-os'].map(name => readFileSync(join(folder, name)));
  const key = shortHash(artifactRootKey, ...EXCLUDED_FROM_TOOLS, ...NGINX, ...files);
  const pathOf = (name: string) => join(cacheFolder(), 'images', `artifact-${name}-${key}`);
  const image = (name: string, ref: string) => ({ ref, tar: `${pathOf(name)}.tar`, root: pathOf(name) });
  const base = await artifactRoot(report);
  const images = {
    tools: { ref: `localhost/artifact-tools:${key}`, tar: `${pathOf('tools')}.tar` },
    system: image('system', `localhost/system:${key}`),
    nginx: image('nginx', `localhost/nginx:${key}`),
    firmware: join(base, 'usr/share'),
  };
  const { tar } = images.tools;
  if (existsSync(tar)) return images;
  return await withLock(`${tar}.lock`, 600, async () => {
    if (existsSync(tar)) return images;
    const root = `${tar}.root`;
    removeOtherVersions();
    await buildNginx(base, images.nginx);
    /* Hard links instead of copies: no file of the base is written to. */
    await mustRun('cp', ['-al', base, root], { seconds: 120 });
    try {
      await fillTools(root, images);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
    return images;
  });
}

/** Each version has hundreds of megabytes, so only the latest is kept. */
function removeOtherVersions(): void {
  const folderOfImages = join(cacheFolder(), 'images');
  for (const name of readdirSync(folderOfImages))
    if (/^artifact-(tools|system|nginx)-/.test(name) && !name.endsWith('.lock'))
      rmSync(join(folderOfImages, name), { recursive: true, force: true });
}

/** An image with nginx and its libraries only. */
async function buildNginx(base: string, image: Image): Promise<void> {
  const { root } = image;
  const libraries = await mustRun('chroot', [base, 'ldd', '/usr/sbin/nginx', '/usr/bin/rm']);
  const needed = [...libraries.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? '');
  for (const path of [...NGINX, ...new Set(needed)]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(join(base, path), join(root, path), { dereference: true });
  }
  for (const empty of ['tmp', 'run']) mkdirSync(join(root, empty), { recursive: true });
  await writeArchive({ ...image, config: { Cmd: ['/usr/sbin/nginx', '-g', 'daemon off;'] } });
}

/** The archive of the tools is written last: its existence means that all images exist. */
async function fillTools(root: string, { tools, system }: ArtifactImages): Promise<void> {
  mkdirSync(join(root, 'usr/lib/auroraboot'));
  for (const part of AURORABOOT) copyFileSync(join(folder, part), join(root, 'usr/lib/auroraboot', part));
  symlinkSync('../lib/auroraboot/auroraboot', join(root, 'usr/bin/auroraboot'));
  copyFileSync(join(folder, 'luet'), join(root, 'usr/bin/luet'));
  copyFileSync(join(folder, 'make-os'), join(root, 'opt/make-os'));
  await mustRun('chroot', [root, '/bin/bash', '/opt/make-os', '/opt/kernel.deb', '/opt/system'], { seconds: 300 });
  renameSync(join(root, 'opt/system'), system.root);
  for (const unused of ['opt/kernel.deb', 'opt/make-os', ...EXCLUDED_FROM_TOOLS])
    rmSync(join(root, unused), { recursive: true, force: true });
  const env = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
  await writeArchive({ ...system, config: { Env: env, Cmd: ['/bin/sh'] } });
  mkdirSync(join(root, 'etc/containers'), { recursive: true });
  for (const name of SETTINGS) {
    const file = join(root, 'etc/containers', name);
    rmSync(file, { force: true }); // it may be a hard link into the base
    copyFileSync(join(folder, name), file);
  }
  await writeArchive({ ...tools, root, config: { Env: env } });
}
