/** Where the journal and the sentinels are stored on the host. */
import { FALLBACK_STATE_DIR, KAIROS_STATE_DIR } from '../api/names.js';
import type { Clock } from '../program/clock.js';
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

/** A failed check is repeated after this time. Every check changes the directory, and a change wakes the agent. */
const RECHECK_MS = 30_000;

/** Knows whether the state directory can be written. It writes only when that matters: at the start, for a new operation, and after a failure. */
export class StateDirCheck {
  readonly #options: { host: Host; stateDir: string; clock: Clock };
  #last: { operationId: string | undefined; at: number; error: string | undefined } | undefined;

  constructor(options: { host: Host; stateDir: string; clock: Clock }) {
    this.#options = options;
  }

  /** Why the directory cannot be written; undefined when it can. */
  async error(operationId: string | undefined): Promise<string | undefined> {
    const { host, stateDir, clock } = this.#options;
    const now = clock.monotonic();
    if (this.#isDue(operationId, now)) this.#last = { operationId, at: now, error: await host.writeError(stateDir) };
    return this.#last?.error;
  }

  #isDue(operationId: string | undefined, now: number): boolean {
    if (this.#last === undefined) return true;
    if (operationId !== undefined && operationId !== this.#last.operationId) return true;
    return this.#last.error !== undefined && now - this.#last.at >= RECHECK_MS;
  }
}
