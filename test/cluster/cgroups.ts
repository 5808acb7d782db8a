/** The control groups of a machine: a group of the same name in each version 1 hierarchy. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './wait.js';

const ROOT = '/sys/fs/cgroup';

/** The hierarchies that a node needs. */
export const HIERARCHIES = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'systemd'];

export function createCgroups(name: string): void {
  for (const hierarchy of HIERARCHIES) mkdirSync(join(ROOT, hierarchy, name), { recursive: true });
  // The kernel refuses processes in a cpuset without CPUs and memory nodes.
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    writeFileSync(join(ROOT, 'cpuset', name, file), readFileSync(join(ROOT, 'cpuset', file), 'utf8'));
  }
}

/** Kills all processes in the machine's groups and removes the groups. Membership in the group proves that a process belongs to the machine. */
export async function removeCgroups(name: string): Promise<void> {
  await waitFor(
    () => {
      for (const pid of processesIn(name)) kill(pid);
      return HIERARCHIES.map(hierarchy => removeTree(join(ROOT, hierarchy, name))).every(Boolean);
    },
    { what: `the control groups ${name} to become empty`, seconds: 20, everyMs: 30 },
  );
}

/** Groups of all hierarchies whose names start with the prefix. */
export function cgroupsNamed(prefix: string): string[] {
  return HIERARCHIES.flatMap(hierarchy => {
    const folder = join(ROOT, hierarchy);
    return existsSync(folder)
      ? readdirSync(folder)
          .filter(name => name.startsWith(prefix))
          .map(name => join(folder, name))
      : [];
  });
}

/** All processes in the machine's groups. */
export function processesIn(name: string): number[] {
  const walk = (folder: string): number[] => {
    try {
      const members = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
      return [...members, ...childrenOf(folder).flatMap(walk)];
    } catch {
      return [];
    }
  };
  return walk(join(ROOT, 'pids', name)).filter(pid => pid > 1);
}

function childrenOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => join(folder, entry.name));
}

/** Whether the group has been removed. */
function removeTree(folder: string): boolean {
  if (!existsSync(folder)) return true;
  try {
    for (const child of childrenOf(folder)) removeTree(child);
    rmdirSync(folder);
    return true;
  } catch {
    return false; // It still has members; the caller retries.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
