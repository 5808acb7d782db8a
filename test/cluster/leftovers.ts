/** Finds and removes what a real cluster leaves when nobody stops it. Works from the index alone. */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupsNamed, removeCgroups } from './cgroups.js';
import { ControlPlane } from './control-plane.js';
import { linksNamed, removeNetwork, routesOver } from './network.js';
import { stateFolder } from './places.js';
import { killAllIn, livingIn } from './process-record.js';

/** Name of the cluster with that index, in folders and process records. */
export const clusterKey = (index: number) => `cluster-${index}`;

/** Ends everything that the cluster with that index has running, and removes its traces outside the run folder. */
export async function clearCluster(index: number): Promise<void> {
  const key = clusterKey(index);
  // supervisors first, else they would boot again what is killed next
  await killAllIn(join(stateFolder(key), 'supervisors'));
  const names = new Set(cgroupsNamed(`kop${index}-`).map(path => path.split('/').pop() ?? ''));
  await Promise.all([...names].map(name => removeCgroups(name)));
  await ControlPlane.clear(key);
  await removeNetwork(`kop${index}`);
  rmSync(stateFolder(key), { recursive: true, force: true });
}

/** One line for each thing that is still there; none after a clean stop. */
export async function leftoversOf(index: number, runFolder: string): Promise<string[]> {
  const key = clusterKey(index);
  const records = ['', 'supervisors'].flatMap(name => livingIn(join(stateFolder(key), name)));
  return [
    ...records.map(({ pid }) => `process ${pid}`),
    ...processesNaming(runFolder).map(pid => `process ${pid} works in ${runFolder}`),
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

/** Living processes whose command line or standard output names the folder: logs, disks and certificates are all there. */
function processesNaming(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 1 && pid !== process.pid)
    .filter(pid => {
      try {
        const output = readlinkSync(`/proc/${pid}/fd/1`);
        return output.startsWith(`${folder}/`) || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`);
      } catch {
        return false; // it ended, or it is the kernel's
      }
    });
}

function mountsUnder(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter(line => line.includes(` ${folder}/`) || line.includes(`=${folder}/`));
}
