/** Finds and removes what a real cluster leaves behind if it is not stopped. Needs only the index of the cluster. */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupsNamed, removeCgroups } from './cgroups.js';
import { ControlPlane } from './control-plane.js';
import { linksNamed, removeNetwork, routesOver } from './network.js';
import { stateFolder } from './paths.js';
import { killAllIn, liveProcessesIn } from './process-record.js';

/** Name of the cluster in folders and process records. */
export const clusterKey = (index: number) => `cluster-${index}`;

/** Kills all processes of the cluster and removes everything it created outside the run folder. */
export async function clearCluster(index: number): Promise<void> {
  const key = clusterKey(index);
  // Supervisors first: they would otherwise reboot the machines that are killed next.
  await killAllIn(join(stateFolder(key), 'supervisors'));
  const names = new Set(cgroupsNamed(`kop${index}-`).map(path => path.split('/').pop() ?? ''));
  await Promise.all([...names].map(name => removeCgroups(name)));
  await ControlPlane.clear(key);
  await removeNetwork(`kop${index}`);
  rmSync(stateFolder(key), { recursive: true, force: true });
}

/** One line per process, network link, control group, mount or folder that is still there; none after a clean stop. */
export async function leakedResources(index: number, runFolder: string): Promise<string[]> {
  const key = clusterKey(index);
  const records = ['', 'supervisors'].flatMap(name => liveProcessesIn(join(stateFolder(key), name)));
  return [
    ...records.map(({ pid }) => `process ${pid}`),
    ...processesUsing(runFolder).map(pid => `process ${pid} uses ${runFolder}`),
    ...linksNamed(`kop${index}`).map(name => `link ${name}`),
    ...(await routesOver(`kop${index}`)).map(line => `route ${line.trim()}`),
    ...cgroupsNamed(`kop${index}-`).map(path => `control group ${path}`),
    ...mountsUnder(runFolder).map(path => `mount ${path}`),
    ...readdirSync('/dev/shm')
      .filter(name => name.startsWith(`kairos-operator-${key}`))
      .map(name => `folder /dev/shm/${name}`),
    ...(existsSync(stateFolder(key)) ? [`folder ${stateFolder(key)}`] : []),
  ];
}

/** Running processes whose command line or standard output refers to the folder, which contains logs, disks and certificates. */
function processesUsing(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 1 && pid !== process.pid)
    .filter(pid => {
      try {
        const output = readlinkSync(`/proc/${pid}/fd/1`);
        return output.startsWith(`${folder}/`) || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`);
      } catch {
        return false; // It has ended, or it is a kernel thread.
      }
    });
}

function mountsUnder(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter(line => line.includes(` ${folder}/`) || line.includes(`=${folder}/`));
}
