/** Checks what this machine needs for a cluster before anything is started, and says what to do about whatever is missing. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { HIERARCHIES } from './cgroups.js';
import { hasCommand } from './packages.js';
import { cacheFolder } from './paths.js';

export interface Requirements {
  /** The cluster has real nodes, which need root, control groups and namespaces. */
  realNodes: boolean;
  /** Kubernetes has to be compiled. */
  build: boolean;
}

const BUILD_SPACE_GIB = 8; // Go modules and the compiler's cache
const RUN_SPACE_GIB = 3;

/** One message per requirement that this machine does not meet: what is missing, and what to do. */
export function missingOnHost(required: Requirements): string[] {
  return [
    ...(required.realNodes ? missingForRealNodes() : []),
    ...(required.build && !hasCommand('go') ? [NO_COMPILER] : []),
    ...(isWritable('/dev/shm') ? [] : ['/dev/shm is not writable. etcd keeps its data there: mount a tmpfs on it.']),
    ...missingSpace(required.build ? BUILD_SPACE_GIB : RUN_SPACE_GIB),
  ];
}

/** Throws an error that lists everything that is missing. */
export function checkMachine(required: Requirements): void {
  const missing = missingOnHost(required);
  if (missing.length > 0) throw new Error(`This machine cannot run the test cluster:\n- ${missing.join('\n- ')}`);
}

const NO_COMPILER =
  'Kubernetes has to be compiled, but there is no Go compiler. Install Go, or set KUBEBUILDER_ASSETS to a folder with the Kubernetes programs.';

function missingForRealNodes(): string[] {
  const readOnly = HIERARCHIES.filter(name => !isWritable(join('/sys/fs/cgroup', name)));
  return [
    ...(process.getuid?.() === 0
      ? []
      : ['Real nodes create namespaces, mounts and control groups, which needs root. Run the command as root.']),
    ...(readOnly.length === 0
      ? []
      : [
          `These control group hierarchies (version 1) are not writable: ${readOnly.join(', ')}. Boot with systemd.unified_cgroup_hierarchy=0, or mount them under /sys/fs/cgroup.`,
        ]),
    ...(existsSync('/proc/self/ns/time')
      ? []
      : ['The kernel has no time namespaces. Use Linux 5.6 or newer with CONFIG_TIME_NS.']),
  ];
}

function missingSpace(requiredGib: number): string[] {
  const folder = cacheFolder();
  const { bavail, bsize } = statfsSync(folder);
  const freeGib = (bavail * bsize) / 2 ** 30;
  if (freeGib >= requiredGib) return [];
  return [
    `${folder} has ${freeGib.toFixed(1)} GiB free, but ${requiredGib} GiB are needed. Free some space, or set XDG_CACHE_HOME to a folder on another disk.`,
  ];
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
