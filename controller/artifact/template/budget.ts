/** Limits for the work on a template and for its result. One budget is for lexing, parsing and evaluating together. */
import { UnlocatedError } from './errors.js';
import { BYTES_PER_STEP, MAX_BYTES, MAX_MS, MAX_STEPS } from './limits.js';

export class Budget {
  readonly #startedAt = performance.now();
  #steps = 0;

  spend(bytes = 0): void {
    this.#steps += 1 + bytes / BYTES_PER_STEP;
    if (this.#steps > MAX_STEPS) throw new UnlocatedError('tooManySteps');
    if (performance.now() - this.#startedAt > MAX_MS) throw new UnlocatedError('tooLong');
  }
}

/** Collects rendered text up to the size limit. */
export class Writer {
  readonly #pieces: string[] = [];
  #bytes = 0;

  add(bytes: string): void {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_BYTES) throw new UnlocatedError('tooManyBytes');
    if (bytes !== '') this.#pieces.push(bytes);
  }

  toString(): string {
    return this.#pieces.join('');
  }
}
