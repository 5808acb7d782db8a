/** Temporary files whose writer was killed before it renamed them. */
import type { Host } from './host.js';
import { expiredSentinels, parseSentinel } from './sentinel.js';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** Written by an agent; earlier ones used the process id. */
const OF_AGENT = new RegExp(`^\\.(?:\\d+|agent\\.${UUID})\\.new$`);
/** Written by a Job: it carries the name of the sentinel, and the Job may still be writing it. */
const OF_JOB = new RegExp(`^\\.(.+?)(?:\\.${UUID})?\\.new$`);

/**
 * Must be called before the journal is opened: until then, none of these files belongs to this process. One that cannot be removed, such as a
 * directory in its place, does not keep the others; it throws the first error at the end.
 */
export async function removeStaleTempFiles(host: Host, stateDir: string, now: Date): Promise<void> {
  const stale = (await host.list(stateDir)).filter(file => isStaleTempFile(file, now));
  const errors: unknown[] = [];
  for (const name of stale) await host.remove(`${stateDir}/${name}`).catch((error: unknown) => void errors.push(error));
  if (errors.length > 0) throw errors[0];
}

/** Whether a file of this name is a temporary file that nothing will finish; `now` decides for those of Jobs. */
export function isStaleTempFile(name: string, now: Date): boolean {
  if (OF_AGENT.test(name)) return true;
  const sentinel = parseSentinel(OF_JOB.exec(name)?.[1] ?? '', '');
  return sentinel !== undefined && expiredSentinels([sentinel], now).length > 0;
}
