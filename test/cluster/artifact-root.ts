/** The Debian system with the tools that build OSArtifacts. It is created once, since that takes minutes. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.js';
import { cacheFolder, shortHash } from './paths.js';
import { mustRun } from './run-command.js';

const SUITE = 'bookworm';
const PACKAGES = [
  'binutils',
  'buildah',
  'busybox-static',
  'ca-certificates',
  'cpio',
  'curl',
  'dosfstools',
  'e2fsprogs',
  'gdisk',
  'grub-common',
  'grub-efi-amd64-bin',
  'grub-pc-bin',
  'kmod',
  'mtools',
  'nginx',
  'openssl',
  'ovmf',
  'qemu-utils',
  'rsync',
  'sbsigntool',
  'skopeo',
  'squashfs-tools',
  'systemd-boot-efi',
  'xorriso',
];
const EXCLUDED = ['/usr/share/man/*', '/usr/share/doc/*', '/usr/share/locale/*'];
/** Downloads the kernel package without its dependencies, which would add half as much again. */
const KERNEL = `cd "$1/opt" && chroot "$1" sh -ec 'cd /opt && apt-get download $(apt-cache depends linux-image-cloud-amd64 | sed -n "s/.*Depends: \\(linux-image-[0-9].*\\)/\\1/p" | head -n 1) && mv linux-image-*.deb kernel.deb'`;

export const artifactRootKey = shortHash(SUITE, KERNEL, ...PACKAGES, ...EXCLUDED);

/** The folder with the system. It must not be written to. */
export async function artifactRoot(report: (line: string) => void): Promise<string> {
  const root = join(cacheFolder(), `artifact-root-${artifactRootKey}`);
  if (existsSync(root)) return root;
  return await withLock(`${root}.lock`, 1200, async () => {
    if (existsSync(root)) return root;
    report('creating the system with the build tools (once, takes minutes)');
    const draft = `${root}.draft`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    const flags = ['--variant=minbase', '--mode=root', `--include=${PACKAGES.join(',')}`];
    const without = EXCLUDED.map(path => `--dpkgopt=path-exclude=${path}`);
    const command = [...flags, ...without, `--customize-hook=${KERNEL}`, SUITE, draft];
    await mustRun('mmdebstrap', command, { seconds: 900 });
    for (const unused of ['var/cache/apt', 'var/lib/apt/lists'])
      rmSync(join(draft, unused), { recursive: true, force: true });
    renameSync(draft, root);
    return root;
  });
}
