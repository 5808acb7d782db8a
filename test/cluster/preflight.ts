/** Says in words what a machine lacks for a cluster, before anything is started. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { HIERARCHIES } from './cgroups.js';
import { hasCommand } from './packages.js';
import { cacheFolder } from './places.js';

export interface Need {
  /** Real nodes: root and control groups. */
  realNodes: boolean;
  /** Binaries must be compiled. */
  build: boolean;
}

const BUILD_SPACE_GIB = 8; // modules and the compiler's cache
const RUN_SPACE_GIB = 3;

/** One sentence per fault; none when the machine will do. */
export function machineFaults(need: Need): string[] {
  const faults: string[] = [];
  if (need.realNodes) {
    if (process.getuid?.() !== 0) faults.push('Real nodes need root: namespaces, mounts and control groups.');
    const missing = HIERARCHIES.filter(name => !writable(join('/sys/fs/cgroup', name)));
    if (missing.length > 0) faults.push(`Control groups, version 1, are not writable: ${missing.join(', ')}.`);
    if (!existsSync('/proc/self/ns/time')) faults.push('The kernel has no time namespaces.');
  }
  if (need.build && !hasCommand('go')) {
    faults.push(
      'Kubernetes must be compiled, but there is no Go compiler. Set KUBEBUILDER_ASSETS to a folder with the programs.',
    );
  }
  if (!writable('/dev/shm')) faults.push('/dev/shm is not writable; etcd keeps its data there.');
  const wanted = need.build ? BUILD_SPACE_GIB : RUN_SPACE_GIB;
  const free = freeGib(cacheFolder());
  if (free < wanted) faults.push(`${cacheFolder()} has ${free.toFixed(1)} GiB free; ${wanted} GiB are needed.`);
  return faults;
}

/** Throws with all faults at once. */
export function checkMachine(need: Need): void {
  const faults = machineFaults(need);
  if (faults.length > 0) throw new Error(`This machine cannot carry the cluster:\n- ${faults.join('\n- ')}`);
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function freeGib(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return (bavail * bsize) / 2 ** 30;
}
