/** The nodes' read-only base system: a small Debian with containerd, built once and kept in the cache. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.js';
import { cacheFolder, shortHash } from './paths.js';
import { mustRun } from './run-command.js';

const SUITE = 'bookworm';
const PACKAGES = [
  'busybox-static',
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'ethtool',
  'iproute2',
  'iptables',
  'kmod',
  'libstdc++6',
  'procps',
  'runc',
  'socat',
];
/** A node needs no documentation. */
const EXCLUDED = ['/usr/share/man/*', '/usr/share/doc/*', '/usr/share/locale/*'];

export const baseRootKey = shortHash(SUITE, ...PACKAGES, ...EXCLUDED);

/** Builds the base system if the cache does not have it and returns its folder. */
export async function ensureBaseRoot(log: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(), `base-root-${baseRootKey}`);
  if (existsSync(join(folder, '.complete'))) return folder;
  return await withLock(join(cacheFolder(), 'base-root.lock'), 1200, async () => {
    if (existsSync(join(folder, '.complete'))) return folder;
    const startedAt = Date.now();
    log('building the base system of the nodes (takes one to two minutes, only once)');
    const draft = `${folder}.draft`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { recursive: true });
    await mustRun(
      'mmdebstrap',
      [
        '--variant=minbase',
        '--mode=root',
        `--include=${PACKAGES.join(',')}`,
        ...EXCLUDED.map(path => `--dpkgopt=path-exclude=${path}`),
        SUITE,
        draft,
      ],
      { seconds: 900 },
    );
    for (const cache of ['var/cache/apt', 'var/lib/apt/lists'])
      rmSync(join(draft, cache), { recursive: true, force: true });
    writeFileSync(join(draft, '.complete'), '');
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
    log(`built the base system in ${Math.round((Date.now() - startedAt) / 1000)} s`);
    return folder;
  });
}

/** The base OCI specification of all containers: containerd's default, plus the hook that mounts the node's boot id, minus the rlimits, which the host may not be permitted to set. */
export async function containerSpec(base: string): Promise<string> {
  const text = await mustRun('chroot', [base, '/usr/bin/ctr', 'oci', 'spec']);
  const spec = JSON.parse(text) as { process: Record<string, unknown>; hooks?: object };
  delete spec.process['rlimits'];
  spec.hooks = { createContainer: [{ path: '/opt/node/hook' }] };
  return JSON.stringify(spec, null, 1);
}
