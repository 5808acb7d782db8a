/** The second half of a Job with reboot: leaves the word that the first half succeeded. Runs in the Job's Pod, not in the DaemonSet. */
import { readFile } from 'node:fs/promises';
import { SENTINEL_MOUNT } from '../api/names.js';
import { writeDurably } from './host.js';
import { sentinelName } from './sentinel.js';

/** Returns the file's path; it is on the disk by then, so that "Job Complete" implies it. */
export async function writeSentinel(env: Record<string, string | undefined>, now: Date): Promise<string> {
  const jobName = env.JOB_NAME ?? '';
  if (jobName === '') throw new Error('JOB_NAME: required');
  if (jobName.includes('/')) throw new Error(`JOB_NAME: ${jobName}: is not the name of a Job`);
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  const dir = env.SENTINEL_DIR ?? SENTINEL_MOUNT;
  const name = sentinelName(jobName, now);
  const file = `${dir}/${name}`;
  /* Not the name an agent writes beside: a starting agent sweeps those away. */
  await writeDurably(file, `${bootId.trim()}\n`, `${dir}/.${name}.new`);
  return file;
}
