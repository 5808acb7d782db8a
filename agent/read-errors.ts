/** Errors of host files that the agent can do without: one unreadable file must not stop all of its work. */
import type { Log } from '../program/log.js';

export interface ReadError {
  /** Absolute path on the host. */
  path: string;
  message: string;
}

/** Awaits a read of `path`; a rejection becomes `error`. */
export async function tryRead<T>(path: string, reading: Promise<T>): Promise<{ value?: T; error?: ReadError }> {
  try {
    return { value: await reading };
  } catch (error) {
    return { error: { path, message: error instanceof Error ? error.message : String(error) } };
  }
}

/** Logs an unreadable path once, and again after it was readable in between. */
export class ReadErrorLog {
  #reported: ReadonlySet<string> = new Set();

  /** `errors` are all read errors of one reconciliation. */
  report(errors: readonly ReadError[], log: Log): void {
    for (const { path, message } of errors)
      if (!this.#reported.has(path)) log.warn({ path, error: message }, 'cannot read the file, continuing without it');
    this.#reported = new Set(errors.map(error => error.path));
  }
}

const MAX_REPORTED = 8;
const MAX_LENGTH = 256;

/** The errors for the status: few, short, and always in the same order. Undefined without errors. */
export function reportedErrors(errors: readonly ReadError[]): string[] | undefined {
  const texts = errors.map(({ path, message }) => (message.includes(path) ? message : `${path}: ${message}`));
  const sorted = [...new Set(texts)].toSorted().slice(0, MAX_REPORTED);
  return sorted.length === 0 ? undefined : sorted.map(text => text.slice(0, MAX_LENGTH));
}
