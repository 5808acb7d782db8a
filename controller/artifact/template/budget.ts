/** Limits for a template: its result has to fit into a Secret, and rendering must end, because the controller does nothing else meanwhile. */
import { UnlocatedError } from './errors.js';

/** The size limit of a Secret. */
export const MAX_BYTES = 1024 * 1024;
/** Nodes evaluated, functions called, and texts processed, counted in pieces of `BYTES_PER_STEP`. This is about one second of work. */
const MAX_STEPS = 1_000_000;
const BYTES_PER_STEP = 64;
/** A limit for steps that cost more than their count suggests. */
const MAX_MS = 2_000;

export class Budget {
  readonly #startedAt = performance.now();
  #steps = 0;

  spend(bytes = 0): void {
    this.#steps += 1 + bytes / BYTES_PER_STEP;
    if (this.#steps > MAX_STEPS) throw new UnlocatedError(`the template does more than ${MAX_STEPS} steps`);
    if (performance.now() - this.#startedAt > MAX_MS)
      throw new UnlocatedError(`the template takes longer than ${MAX_MS / 1000} s`);
  }
}

/** Collects rendered text up to the size limit. */
export class Writer {
  readonly #pieces: string[] = [];
  #bytes = 0;

  add(bytes: string): void {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_BYTES) throw new UnlocatedError(`the template renders more than ${MAX_BYTES} bytes`);
    this.#pieces.push(bytes);
  }

  toString(): string {
    return this.#pieces.join('');
  }
}
