/** The image that OSArtifacts are built with here: Debian's tools behind the command lines of auroraboot, luet and buildah, and a small system to build of. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeArchive } from './archive.js';
import type { Image } from './images.js';
import { withLock } from './lock.js';
import { cacheFolder, repository, shortHash } from './places.js';
import type { ProductImage } from './product-images.js';
import { mustRun } from './run-command.js';

const SUITE = 'bookworm';
const PACKAGES = [
  'binutils',
  'buildah',
  'busybox-static',
  'ca-certificates',
  'cpio',
  'dosfstools',
  'e2fsprogs',
  'gdisk',
  'grub-common',
  'grub-efi-amd64-bin',
  'grub-pc-bin',
  'kmod',
  'mtools',
  'openssl',
  'qemu-utils',
  'sbsigntool',
  'skopeo',
  'squashfs-tools',
  'systemd-boot-efi',
  'xorriso',
];
const EXCLUDED = ['/usr/share/man/*', '/usr/share/doc/*', '/usr/share/locale/*'];
/** The kernel alone, as a file: what it depends on would be half as much again. */
const KERNEL = `cd "$1/opt" && chroot "$1" sh -ec 'cd /opt && apt-get download $(apt-cache depends linux-image-cloud-amd64 | sed -n "s/.*Depends: \\(linux-image-[0-9].*\\)/\\1/p" | head -n 1) && mv linux-image-*.deb kernel.deb'`;

const rootKey = shortHash(SUITE, KERNEL, ...PACKAGES, ...EXCLUDED);
const folder = join(repository, 'test/cluster/artifact-tools');
const TOOLS = ['auroraboot', 'luet'] as const;
/** Of buildah and skopeo: no signatures, and plain copies for layers, since overlays cannot lie upon overlays. */
const SETTINGS = ['policy.json', 'storage.conf'] as const;

/** Made once: it takes minutes. */
async function toolRoot(say: (line: string) => void): Promise<string> {
  const root = join(cacheFolder(), `artifact-root-${rootKey}`);
  if (existsSync(root)) return root;
  return await withLock(`${root}.lock`, 1200, async () => {
    if (existsSync(root)) return root;
    say('making the system of the tools that build (some minutes, once)');
    const draft = `${root}.draft`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    const flags = ['--variant=minbase', '--mode=root', `--include=${PACKAGES.join(',')}`];
    const without = EXCLUDED.map(path => `--dpkgopt=path-exclude=${path}`);
    const command = [...flags, ...without, `--customize-hook=${KERNEL}`, SUITE, draft];
    await mustRun('mmdebstrap', command, { seconds: 900 });
    for (const waste of ['var/cache/apt', 'var/lib/apt/lists'])
      rmSync(join(draft, waste), { recursive: true, force: true });
    renameSync(draft, root);
    return root;
  });
}

export interface ArtifactImages {
  /** Tool image and buildah image in one. */
  tools: ProductImage;
  /** A system of twenty megabytes that boots, and is no Kairos yet. */
  system: Image;
}

/** For what the scripts are now; made once for the same content. */
export async function artifactImages(say: (line: string) => void = () => undefined): Promise<ArtifactImages> {
  const files = [...TOOLS, ...SETTINGS, 'make-os'].map(name => readFileSync(join(folder, name)));
  const key = shortHash(rootKey, ...files);
  const place = (name: string) => join(cacheFolder(), 'images', `artifact-${name}-${key}`);
  const tools = { ref: `localhost/artifact-tools:${key}`, tar: `${place('tools')}.tar` };
  const system = { ref: `localhost/system:${key}`, tar: `${place('system')}.tar`, root: place('system') };
  const made = { tools, system };
  if (existsSync(tools.tar)) return made;
  const base = await toolRoot(say);
  return await withLock(`${tools.tar}.lock`, 600, async () => {
    if (existsSync(tools.tar)) return made;
    const root = `${tools.tar}.root`;
    removeOld(key);
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
function removeOld(key: string): void {
  const images = join(cacheFolder(), 'images');
  for (const name of readdirSync(images))
    if (/^artifact-(tools|system)-/.test(name) && !name.endsWith('.lock') && name !== `artifact-tools-${key}.tar`)
      rmSync(join(images, name), { recursive: true, force: true });
}

/** The tools' image is the last to appear. */
async function fill(root: string, { tools, system }: ArtifactImages): Promise<void> {
  for (const tool of TOOLS) copyFileSync(join(folder, tool), join(root, 'usr/bin', tool));
  copyFileSync(join(folder, 'make-os'), join(root, 'opt/make-os'));
  await mustRun('chroot', [root, '/bin/bash', '/opt/make-os', '/opt/kernel.deb', '/opt/system'], { seconds: 300 });
  renameSync(join(root, 'opt/system'), system.root);
  for (const done of ['kernel.deb', 'make-os']) rmSync(join(root, 'opt', done));
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
