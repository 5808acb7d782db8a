/** Files of the host that cannot be read, and are done without: one of them must not keep the agent from all its work. */
import type { Log } from '../program/log.js';

export interface ReadError {
  path: string;
  why: string;
}

export async function tryRead<T>(path: string, reading: Promise<T>): Promise<{ value?: T; fault?: ReadError }> {
  try {
    return { value: await reading };
  } catch (error) {
    return { fault: { path, why: error instanceof Error ? error.message : String(error) } };
  }
}

/** Says each fault once, and again when it comes back. */
export class ReadErrorLog {
  #standing: ReadonlySet<string> = new Set();

  tell(faults: readonly ReadError[], log: Log): void {
    for (const { path, why } of faults)
      if (!this.#standing.has(path)) log.warn({ path, why }, 'cannot be read, going on without it');
    this.#standing = new Set(faults.map(fault => fault.path));
  }
}
