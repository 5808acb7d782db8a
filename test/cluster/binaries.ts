/** The Kubernetes programs: taken from KUBEBUILDER_ASSETS, else from the cache, else compiled into the cache. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Binary, buildBinary, RECIPE, VERSION } from './build-binaries.js';
import { withLock } from './lock.js';
import { cacheFolder, shortHash } from './places.js';
import { checkMachine } from './preflight.js';

export type { Binary } from './build-binaries.js';

export const CONTROL_PLANE: readonly Binary[] = ['kube-apiserver', 'etcd', 'kubectl'];
export const CONTROLLERS: readonly Binary[] = ['kube-controller-manager', 'kube-scheduler'];
export const NODE: readonly Binary[] = ['kubelet', 'kube-proxy'];
export const EVERY_REAL: readonly Binary[] = [...CONTROL_PLANE, ...CONTROLLERS, ...NODE];

const BUILD_LIMIT_SECONDS = 45 * 60;

/** Where that program lies, if it need not be compiled. */
export function findBinary(name: Binary): string | undefined {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const places = [...(assets === undefined ? [] : [assets]), binariesFolder()];
  return places.map(place => join(place, name)).find(file => existsSync(file));
}

export function binariesFolder(): string {
  return join(cacheFolder(), `k8s-${VERSION}-${shortHash(JSON.stringify(RECIPE))}`);
}

/** Paths of the programs; those that are missing are compiled, with one line of progress each. */
export async function ensureBinaries(
  names: readonly Binary[],
  say: (line: string) => void = line => process.stderr.write(`${line}\n`),
): Promise<Record<Binary, string>> {
  if (names.some(name => findBinary(name) === undefined)) {
    checkMachine({ realNodes: false, build: true });
    await withLock(join(cacheFolder(), 'build.lock'), BUILD_LIMIT_SECONDS, () => buildMissing(names, say));
  }
  const paths = names.map(name => [name, findBinary(name)] as const);
  const lacking = paths.filter(([, file]) => file === undefined).map(([name]) => name);
  if (lacking.length > 0) throw new Error(`these programs are still missing: ${lacking.join(', ')}`);
  return Object.fromEntries(paths) as Record<Binary, string>;
}

async function buildMissing(names: readonly Binary[], say: (line: string) => void): Promise<void> {
  // asked again under the lock: another run may have built them meanwhile
  const missing = names.filter(name => findBinary(name) === undefined);
  for (const [position, name] of missing.entries()) {
    const left = missing.slice(position + 1);
    say(`compiling ${name} (${position + 1} of ${missing.length})`);
    const begin = Date.now();
    await buildBinary(name, binariesFolder());
    const seconds = Math.round((Date.now() - begin) / 1000);
    say(`compiled ${name} in ${seconds} s; ${left.length === 0 ? 'nothing left' : `left: ${left.join(', ')}`}`);
  }
}
