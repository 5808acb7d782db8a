/** The second container of a Job with reboot: records that the first one succeeded. It runs in the Pod of the Job, not in the DaemonSet. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SENTINEL_MOUNT } from '../api/names.js';
import { closing, writeDurably } from './host-files.js';
import { openInRoot } from './open-in-root.js';
import { sentinelName } from './sentinel.js';

/**
 * Writes the sentinel of the Job `JOB_NAME` to `SENTINEL_DIR` (default `/sentinel`) and returns its path. The file is synced to the disk
 * when the promise resolves, so a Job that is Complete implies that its sentinel exists.
 *
 * Throws when `JOB_NAME` is empty or not the name of a Job, or when the file cannot be written.
 */
export async function writeSentinel(env: Record<string, string | undefined>, now: Date): Promise<string> {
  const jobName = env.JOB_NAME ?? '';
  if (jobName === '') throw new Error('JOB_NAME: required');
  if (jobName.includes('/')) throw new Error(`JOB_NAME: ${jobName}: must be the name of a Job`);
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  const dir = env.SENTINEL_DIR ?? SENTINEL_MOUNT;
  const name = sentinelName(jobName, now);
  const text = `${bootId.trim()}\n`;
  /* An agent deletes temporary files that are named like its own when it starts, so this one is named after the sentinel. */
  const tempFile = `.${name}.${randomUUID()}.new`;
  const handle = await openInRoot('/', dir, { followLast: true, as: 'dir' });
  await closing(handle, () => writeDurably(handle, { name, text, tempFile }));
  return `${dir}/${name}`;
}
