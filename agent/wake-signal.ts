/** Lets many callbacks wake one waiting loop. A wake-up while the loop is busy is kept, and several of them count as one. */
import type { Clock } from '../program/clock.js';

export class WakeSignal {
  #isPending = false;
  #endWait: () => void = () => undefined;

  wake(): void {
    this.#isPending = true;
    this.#endWait();
  }

  /** Resolves at the next wake-up, after `ms` milliseconds, or when the signal aborts, whichever comes first. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#isPending && !signal.aborted) {
      const sleep = new AbortController();
      this.#endWait = () => sleep.abort();
      signal.addEventListener('abort', this.#endWait, { once: true });
      await clock.sleep(ms, sleep.signal);
      signal.removeEventListener('abort', this.#endWait);
    }
    this.#isPending = false;
  }
}
