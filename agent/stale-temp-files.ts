/** Temporary files whose writer was killed before it renamed them. */
import type { Host } from './host.js';
import { expiredSentinels, parseSentinel } from './sentinel.js';

/** Written by an agent. */
const OF_AGENT = /^\.\d+\.new$/;
/** Written by a Job: it carries the name of the sentinel, and the Job may still be writing it. */
const OF_JOB = /^\.(.+)\.new$/;

/** Must be called before the journal is opened: until then, none of these files belongs to this process. */
export async function removeStaleTempFiles(host: Host, stateDir: string, now: Date): Promise<void> {
  const names = await host.list(stateDir);
  for (const name of names.filter(file => isStaleTempFile(file, now))) await host.remove(`${stateDir}/${name}`);
}

/** Whether a file of this name is a temporary file that nothing will finish; `now` decides for those of Jobs. */
export function isStaleTempFile(name: string, now: Date): boolean {
  if (OF_AGENT.test(name)) return true;
  const sentinel = parseSentinel(OF_JOB.exec(name)?.[1] ?? '', '');
  return sentinel !== undefined && expiredSentinels([sentinel], now).length > 0;
}
