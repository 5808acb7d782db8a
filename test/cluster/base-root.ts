/** The nodes' read-only base system: a small Debian with containerd, made once and kept in the cache. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.js';
import { cacheFolder, shortHash } from './places.js';
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

/** The folder of the base root. */
export async function ensureBaseRoot(say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(), `base-root-${baseRootKey}`);
  if (existsSync(join(folder, '.complete'))) return folder;
  return await withLock(join(cacheFolder(), 'base-root.lock'), 1200, async () => {
    if (existsSync(join(folder, '.complete'))) return folder;
    const begin = Date.now();
    say('making the base system of the nodes (a minute or two, once)');
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
    for (const waste of ['var/cache/apt', 'var/lib/apt/lists'])
      rmSync(join(draft, waste), { recursive: true, force: true });
    writeFileSync(join(draft, '.complete'), '');
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
    say(`made the base system in ${Math.round((Date.now() - begin) / 1000)} s`);
    return folder;
  });
}

/** What every container starts from: containerd's default, plus the hook that shows the node's boot id, without limits that the machine may not be allowed to set. */
export async function containerSpec(base: string): Promise<string> {
  const text = await mustRun('chroot', [base, '/usr/bin/ctr', 'oci', 'spec']);
  const spec = JSON.parse(text) as { process: Record<string, unknown>; hooks?: object };
  delete spec.process['rlimits'];
  spec.hooks = { createContainer: [{ path: '/opt/node/hook' }] };
  return JSON.stringify(spec, null, 1);
}
