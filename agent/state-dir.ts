/** Where the journal and the sentinels are stored on the host. */
import { FALLBACK_STATE_DIR, KAIROS_STATE_DIR } from '../api/names.js';
import type { Host } from './host.js';

export interface StateDir {
  /** Absolute path on the host. */
  stateDir: string;
  writable: boolean;
}

/**
 * Prefers the Kairos state directory, which survives a reboot of an immutable system, and falls back to `/var/lib`. A host that is entirely
 * read-only is still labeled and its checks are answered; its reboot fails when the journal is written, and the status reports that.
 */
export async function findStateDir(host: Host): Promise<StateDir> {
  if ((await host.hasDir('/usr/local')) && (await host.makeWritable(KAIROS_STATE_DIR)))
    return { stateDir: KAIROS_STATE_DIR, writable: true };
  if (await host.makeWritable(FALLBACK_STATE_DIR)) return { stateDir: FALLBACK_STATE_DIR, writable: true };
  /* The journal of an earlier process can still be read. */
  return { stateDir: (await host.hasDir(KAIROS_STATE_DIR)) ? KAIROS_STATE_DIR : FALLBACK_STATE_DIR, writable: false };
}
