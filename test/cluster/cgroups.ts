/** The control groups of one machine: a group of the same name in each version 1 hierarchy. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './wait.js';

const ROOT = '/sys/fs/cgroup';

/** The hierarchies that a node needs. */
export const HIERARCHIES = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'systemd'];

export function makeCgroups(name: string): void {
  for (const hierarchy of HIERARCHIES) mkdirSync(join(ROOT, hierarchy, name), { recursive: true });
  // an empty cpuset takes no process
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    writeFileSync(join(ROOT, 'cpuset', name, file), readFileSync(join(ROOT, 'cpuset', file), 'utf8'));
  }
}

/** Kills whatever lives in the machine's groups and removes them. The kernel's own list of members is the proof that they are ours. */
export async function removeCgroups(name: string): Promise<void> {
  await waitFor(
    () => {
      for (const pid of processesIn(name)) kill(pid);
      return HIERARCHIES.map(hierarchy => removeTree(join(ROOT, hierarchy, name))).every(Boolean);
    },
    { what: `the control groups ${name} to become empty`, seconds: 20, everyMs: 30 },
  );
}

/** Groups of any hierarchy whose name begins so. */
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

function processesIn(name: string): number[] {
  const walk = (folder: string): number[] => {
    try {
      const own = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
      return [...own, ...childrenOf(folder).flatMap(walk)];
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

/** True when the group is gone. */
function removeTree(folder: string): boolean {
  if (!existsSync(folder)) return true;
  try {
    for (const child of childrenOf(folder)) removeTree(child);
    rmdirSync(folder);
    return true;
  } catch {
    return false; // still has members; the caller looks again
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended in between
  }
}
