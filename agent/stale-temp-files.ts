/** Texts that were being written when their writer was killed, and were never given their name. */
import type { Host } from './host.js';
import { forgotten, sentinelOf } from './sentinel.js';

/** Of an agent; those of a Job carry the name of its sentinel, and may be in the making. */
const OF_AN_AGENT = /^\.\d+\.new$/;
const OF_A_JOB = /^\.(.+)\.new$/;

/** To be called before the journal is opened: then none is our own. */
export async function removeStaleTempFiles(host: Host, stateDir: string, now: Date): Promise<void> {
  const names = await host.list(stateDir);
  for (const name of names.filter(one => isStaleTempFile(one, now))) await host.remove(`${stateDir}/${name}`);
}

export function isStaleTempFile(name: string, now: Date): boolean {
  if (OF_AN_AGENT.test(name)) return true;
  const sentinel = sentinelOf(OF_A_JOB.exec(name)?.[1] ?? '', '');
  return sentinel !== undefined && forgotten([sentinel], now).length > 0;
}
