import type { Clock } from '../program/clock.js';
import { backoffMs } from './backoff.js';

export interface WorkQueueOptions {
  clock: Clock;
  random?: () => number;
  /** Pause after the first failure of a key; doubles with each further one. */
  firstBackoffMs?: number;
  longestBackoffMs?: number;
}

/**
 * Keys to be worked on. A key waits once however often it is wished for, the earliest wish wins, two workers never hold the
 * same key, and a key wished for while it is held comes again as soon as it is given back.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #limits: { firstMs: number; longestMs: number };
  /** In the order of arrival. */
  readonly #ready = new Set<string>();
  /** Key and the moment it becomes ready. */
  readonly #later = new Map<string, number>();
  readonly #held = new Set<string>();
  /** Wished for while held. */
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #alarm: { at: number; off: AbortController } | undefined;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#limits = { firstMs: options.firstBackoffMs ?? 500, longestMs: options.longestBackoffMs ?? 60_000 };
  }

  /** Keys that wait, now or later. */
  get size(): number {
    return this.#ready.size + this.#later.size + this.#again.size;
  }

  add(key: string, afterMs = 0): void {
    if (this.#closed) return;
    if (afterMs > 0) this.#addLater(key, this.#clock.monotonic() + afterMs);
    else this.#addNow(key);
  }

  /** The next key, as soon as there is one; `undefined` once the queue is closed. Give it back with `done`. */
  async take(): Promise<string | undefined> {
    if (this.#closed) return undefined;
    const [key] = this.#ready;
    if (key === undefined) return new Promise(resolve => this.#takers.push(resolve));
    this.#ready.delete(key);
    this.#held.add(key);
    return key;
  }

  /** The key's work went well: its next failure is its first again. */
  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** The key's work failed: how long to leave it alone. */
  failed(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    return backoffMs(failures, this.#limits, this.#random);
  }

  done(key: string): void {
    this.#held.delete(key);
    if (this.#again.delete(key)) this.#addNow(key);
  }

  /** Nothing is handed out any more; what is held may still be given back. */
  close(): void {
    this.#closed = true;
    this.#alarm?.off.abort();
    for (const collection of [this.#ready, this.#later, this.#again]) collection.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #addNow(key: string): void {
    if (this.#closed) return;
    this.#later.delete(key);
    if (this.#held.has(key)) {
      this.#again.add(key);
      return;
    }
    const taker = this.#takers.shift();
    if (!taker) {
      this.#ready.add(key);
      return;
    }
    this.#held.add(key);
    taker(key);
  }

  #addLater(key: string, at: number): void {
    if (this.#ready.has(key) || this.#again.has(key)) return;
    if (at >= (this.#later.get(key) ?? Infinity)) return;
    this.#later.set(key, at);
    this.#setAlarm(at);
  }

  /** One timer for all of them: it rings for the earliest. */
  #setAlarm(at: number): void {
    if (at === Infinity || (this.#alarm && this.#alarm.at <= at)) return;
    this.#alarm?.off.abort();
    const alarm = { at, off: new AbortController() };
    this.#alarm = alarm;
    void this.#clock.sleep(at - this.#clock.monotonic(), alarm.off.signal).then(() => this.#ring(alarm));
  }

  #ring(alarm: { off: AbortController }): void {
    if (alarm.off.signal.aborted || this.#closed) return;
    this.#alarm = undefined;
    /* Timers may fire a fraction early; a millisecond of grace saves a second round. */
    const now = this.#clock.monotonic() + 1;
    let next = Infinity;
    for (const [key, at] of [...this.#later])
      if (at <= now) this.#addNow(key);
      else next = Math.min(next, at);
    this.#setAlarm(next);
  }
}
