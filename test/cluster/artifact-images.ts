/** The images that OSArtifacts are built and served with here: Debian's tools behind the command lines of auroraboot, luet and buildah, a small system to build of, and nginx. */
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
/** Side by side. */
const AURORABOOT = ['auroraboot', 'unpack.sh', 'boot.sh', 'media.sh', 'disks.sh', 'uki.sh'] as const;
/** Of buildah and skopeo: no signatures, the tests' registries without encryption, and plain copies for layers, since overlays cannot lie upon overlays. */
const SETTINGS = ['policy.json', 'registries.conf', 'storage.conf'] as const;
/** Of the root, only for this machine or for an image of its own. */
const NOT_FOR_BUILDING = ['usr/share/OVMF', 'usr/share/ovmf', 'usr/share/qemu', 'usr/sbin/nginx', 'usr/share/nginx'];

/** Of the server's image: the program, what takes away unfinished uploads, and what both read. */
const NGINX = ['/usr/sbin/nginx', '/usr/bin/rm', '/etc/nginx/mime.types', '/etc/passwd', '/etc/group'];

export interface ArtifactImages {
  /** Tool image and buildah image in one; has curl, too. */
  tools: ProductImage;
  /** A system of twenty megabytes that boots, and is no Kairos yet. */
  system: Image;
  nginx: Image;
  /** Firmware for emulated machines: `OVMF_CODE…` and `OVMF_VARS…`, and a pair of keys that the latter knows. */
  firmware: string;
}

/** For what the scripts are now; made once for the same content. */
export async function artifactImages(say: (line: string) => void = () => undefined): Promise<ArtifactImages> {
  const files = [...AURORABOOT, 'luet', ...SETTINGS, 'make-os'].map(name => readFileSync(join(folder, name)));
  const key = shortHash(artifactRootKey, ...NOT_FOR_BUILDING, ...NGINX, ...files);
  const place = (name: string) => join(cacheFolder(), 'images', `artifact-${name}-${key}`);
  const image = (name: string, ref: string) => ({ ref, tar: `${place(name)}.tar`, root: place(name) });
  const base = await artifactRoot(say);
  const made = {
    tools: { ref: `localhost/artifact-tools:${key}`, tar: `${place('tools')}.tar` },
    system: image('system', `localhost/system:${key}`),
    nginx: image('nginx', `localhost/nginx:${key}`),
    firmware: join(base, 'usr/share'),
  };
  const { tar } = made.tools;
  if (existsSync(tar)) return made;
  return await withLock(`${tar}.lock`, 600, async () => {
    if (existsSync(tar)) return made;
    const root = `${tar}.root`;
    removeOld();
    await nginx(base, made.nginx);
    /* Files of the base are shared, not copied: nothing of it is written to. */
    await mustRun('cp', ['-al', base, root], { seconds: 120 });
    try {
      await fill(root, made);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
    return made;
  });
}

/** Hundreds of megabytes for each state of the scripts: only the latest are kept. */
function removeOld(): void {
  const images = join(cacheFolder(), 'images');
  for (const name of readdirSync(images))
    if (/^artifact-(tools|system|nginx)-/.test(name) && !name.endsWith('.lock'))
      rmSync(join(images, name), { recursive: true, force: true });
}

/** Nothing else is in it. */
async function nginx(base: string, image: Image): Promise<void> {
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

/** The tools' image is the last to appear. */
async function fill(root: string, { tools, system }: ArtifactImages): Promise<void> {
  mkdirSync(join(root, 'usr/lib/auroraboot'));
  for (const part of AURORABOOT) copyFileSync(join(folder, part), join(root, 'usr/lib/auroraboot', part));
  symlinkSync('../lib/auroraboot/auroraboot', join(root, 'usr/bin/auroraboot'));
  copyFileSync(join(folder, 'luet'), join(root, 'usr/bin/luet'));
  copyFileSync(join(folder, 'make-os'), join(root, 'opt/make-os'));
  await mustRun('chroot', [root, '/bin/bash', '/opt/make-os', '/opt/kernel.deb', '/opt/system'], { seconds: 300 });
  renameSync(join(root, 'opt/system'), system.root);
  for (const waste of ['opt/kernel.deb', 'opt/make-os', ...NOT_FOR_BUILDING])
    rmSync(join(root, waste), { recursive: true, force: true });
  const env = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
  await writeArchive({ ...system, config: { Env: env, Cmd: ['/bin/sh'] } });
  mkdirSync(join(root, 'etc/containers'), { recursive: true });
  for (const name of SETTINGS) {
    const file = join(root, 'etc/containers', name);
    rmSync(file, { force: true }); // it may be shared with the base
    copyFileSync(join(folder, name), file);
  }
  await writeArchive({ ...tools, root, config: { Env: env } });
}
