/** Many may ring, one waits: rings while nobody waits are not lost, many of them count as one. */
import type { Clock } from '../program/clock.js';

export class WakeSignal {
  #rung = false;
  #wake: () => void = () => undefined;

  wake(): void {
    this.#rung = true;
    this.#wake();
  }

  /** Resolves at the next ring, after `ms`, or when the signal aborts. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const sleep = new AbortController();
      this.#wake = () => sleep.abort();
      signal.addEventListener('abort', this.#wake, { once: true });
      await clock.sleep(ms, sleep.signal);
      signal.removeEventListener('abort', this.#wake);
    }
    this.#rung = false;
  }
}
