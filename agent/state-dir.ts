/** Where journal and sentinels live on the host. */
import { KAIROS_STATE_DIR, PLAIN_STATE_DIR } from '../api/names.js';
import type { Host } from './host.js';

/** The folder of Kairos, where it can be written; it survives a reboot on an immutable system. Else the usual place for state. */
export async function findStateDir(host: Host): Promise<string> {
  if ((await host.hasDir('/usr/local')) && (await host.makeWritable(KAIROS_STATE_DIR))) return KAIROS_STATE_DIR;
  if (await host.makeWritable(PLAIN_STATE_DIR)) return PLAIN_STATE_DIR;
  throw new Error(`neither ${KAIROS_STATE_DIR} nor ${PLAIN_STATE_DIR} can be written on the host`);
}
