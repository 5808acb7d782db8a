/** The Kubernetes programs: from KUBEBUILDER_ASSETS, else from the cache, else compiled into the cache. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Binary, buildBinary, RECIPE, VERSION } from './build-binaries.js';
import { withLock } from './lock.js';
import { cacheFolder, shortHash } from './paths.js';
import { checkMachine } from './preflight.js';

export type { Binary } from './build-binaries.js';

export const CONTROL_PLANE: readonly Binary[] = ['kube-apiserver', 'etcd', 'kubectl'];
export const CONTROLLERS: readonly Binary[] = ['kube-controller-manager', 'kube-scheduler'];
export const NODE: readonly Binary[] = ['kubelet', 'kube-proxy'];
export const EVERY_REAL: readonly Binary[] = [...CONTROL_PLANE, ...CONTROLLERS, ...NODE];

const BUILD_TIMEOUT_SECONDS = 45 * 60;

/** Path of the program, or undefined if it has to be compiled. */
export function findBinary(name: Binary): string | undefined {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const folders = [...(assets === undefined ? [] : [assets]), binariesFolder()];
  return folders.map(place => join(place, name)).find(file => existsSync(file));
}

export function binariesFolder(): string {
  return join(cacheFolder(), `k8s-${VERSION}-${shortHash(JSON.stringify(RECIPE))}`);
}

/** Paths of the programs. Missing ones are compiled, with a line of progress before and after each. */
export async function ensureBinaries(
  names: readonly Binary[],
  log: (line: string) => void = line => process.stderr.write(`${line}\n`),
): Promise<Record<Binary, string>> {
  if (names.some(name => findBinary(name) === undefined)) {
    checkMachine({ realNodes: false, build: true });
    await withLock(join(cacheFolder(), 'build.lock'), BUILD_TIMEOUT_SECONDS, () => buildMissing(names, log));
  }
  const paths = names.map(name => [name, findBinary(name)] as const);
  const stillMissing = paths.filter(([, file]) => file === undefined).map(([name]) => name);
  if (stillMissing.length > 0)
    throw new Error(`These programs are still missing after the build: ${stillMissing.join(', ')}`);
  return Object.fromEntries(paths) as Record<Binary, string>;
}

async function buildMissing(names: readonly Binary[], log: (line: string) => void): Promise<void> {
  // Checked again under the lock, because another run may have built them in the meantime.
  const missing = names.filter(name => findBinary(name) === undefined);
  for (const [position, name] of missing.entries()) {
    const remaining = missing.slice(position + 1);
    log(`compiling ${name} (${position + 1} of ${missing.length})`);
    const startedAt = Date.now();
    await buildBinary(name, binariesFolder());
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    log(
      `compiled ${name} in ${seconds} s; ${remaining.length === 0 ? 'none remaining' : `remaining: ${remaining.join(', ')}`}`,
    );
  }
}
