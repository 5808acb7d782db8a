/** Where journal and sentinels live on the host. */
import { KAIROS_STATE_DIR, PLAIN_STATE_DIR } from '../api/names.js';
import type { Host } from './host.js';

export interface StateDir {
  stateDir: string;
  writable: boolean;
}

/**
 * The folder of Kairos, where it can be written; it survives a reboot on an immutable system. Else the usual place for state. A host that
 * cannot be written to at all is still labeled and still answers; a reboot fails at the journal, and that is told.
 */
export async function findStateDir(host: Host): Promise<StateDir> {
  if ((await host.hasDir('/usr/local')) && (await host.makeWritable(KAIROS_STATE_DIR)))
    return { stateDir: KAIROS_STATE_DIR, writable: true };
  if (await host.makeWritable(PLAIN_STATE_DIR)) return { stateDir: PLAIN_STATE_DIR, writable: true };
  /* What an earlier life wrote can still be read there. */
  return { stateDir: (await host.hasDir(KAIROS_STATE_DIR)) ? KAIROS_STATE_DIR : PLAIN_STATE_DIR, writable: false };
}
