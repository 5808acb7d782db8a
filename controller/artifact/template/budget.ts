/** How much a template may do and make: what it renders has to fit into a Secret, and nobody waits for one that never ends. */
import { UnlocatedError } from './errors.js';

/** A Secret holds no more. */
export const MAX_BYTES = 1024 * 1024;
/** Nodes walked, functions called, and texts handled in pieces of so many bytes; about a second's work. */
const MAX_STEPS = 1_000_000;
const BYTES_PER_STEP = 64;
/** Whatever the steps cost: while a template is rendered, the controller does nothing else. */
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

/** Grows up to the largest text there may be. */
export class Writer {
  readonly #pieces: string[] = [];
  #bytes = 0;

  add(bytes: string): void {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_BYTES) throw new UnlocatedError(`the template makes a text of more than ${MAX_BYTES} bytes`);
    this.#pieces.push(bytes);
  }

  toString(): string {
    return this.#pieces.join('');
  }
}
