import type { Clock } from '../program/clock.js';
import { backoffMs } from './backoff.js';

export interface WorkQueueOptions {
  clock: Clock;
  random?: () => number;
  /** Backoff after the first failure of a key; doubles with each further one. */
  firstBackoffMs?: number;
  longestBackoffMs?: number;
}

/**
 * A queue of keys to process. A key is queued once however often it is added, with the earliest time at which it was requested.
 * Two workers never process the same key; a key added while it is processed is queued again as soon as it is done.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #limits: { firstMs: number; longestMs: number };
  /** Keys to process now, in the order of arrival. */
  readonly #ready = new Set<string>();
  /** Keys to process later, with the monotonic time at which they become ready. */
  readonly #later = new Map<string, number>();
  readonly #processing = new Set<string>();
  /** Keys added while they were processed. */
  readonly #addedAgain = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #waiters: ((key: string | undefined) => void)[] = [];
  #timer: { at: number; cancel: AbortController } | undefined;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#limits = { firstMs: options.firstBackoffMs ?? 500, longestMs: options.longestBackoffMs ?? 60_000 };
  }

  /** Number of queued keys, including those to process later. */
  get size(): number {
    return this.#ready.size + this.#later.size + this.#addedAgain.size;
  }

  /** Queues a key, now or after `afterMs` milliseconds. */
  add(key: string, afterMs = 0): void {
    if (this.#closed) return;
    if (afterMs > 0) this.#addLater(key, this.#clock.monotonic() + afterMs);
    else this.#addNow(key);
  }

  /** Resolves to the next key, or to `undefined` once the queue is closed. Call `done` when the key has been processed. */
  async take(): Promise<string | undefined> {
    if (this.#closed) return undefined;
    const [key] = this.#ready;
    if (key === undefined) return new Promise(resolve => this.#waiters.push(resolve));
    this.#ready.delete(key);
    this.#processing.add(key);
    return key;
  }

  /** Resets the backoff of a key. */
  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  /** Counts a failure of a key; returns the backoff in milliseconds. */
  failed(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    return backoffMs(failures, this.#limits, this.#random);
  }

  /** Ends the processing of a key; queues it again when it was added meanwhile. */
  done(key: string): void {
    this.#processing.delete(key);
    if (this.#addedAgain.delete(key)) this.#addNow(key);
  }

  /** Stops handing out keys and releases waiting workers; `done` may still be called. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel.abort();
    for (const collection of [this.#ready, this.#later, this.#addedAgain]) collection.clear();
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
  }

  #addNow(key: string): void {
    if (this.#closed) return;
    this.#later.delete(key);
    if (this.#processing.has(key)) {
      this.#addedAgain.add(key);
      return;
    }
    const waiter = this.#waiters.shift();
    if (!waiter) {
      this.#ready.add(key);
      return;
    }
    this.#processing.add(key);
    waiter(key);
  }

  #addLater(key: string, at: number): void {
    if (this.#ready.has(key) || this.#addedAgain.has(key)) return;
    if (at >= (this.#later.get(key) ?? Infinity)) return;
    this.#later.set(key, at);
    this.#setTimer(at);
  }

  /** A single timer, set for the earliest of the later keys. */
  #setTimer(at: number): void {
    if (at === Infinity || (this.#timer && this.#timer.at <= at)) return;
    this.#timer?.cancel.abort();
    const timer = { at, cancel: new AbortController() };
    this.#timer = timer;
    void this.#clock.sleep(at - this.#clock.monotonic(), timer.cancel.signal).then(() => this.#onTimer(timer));
  }

  #onTimer(timer: { cancel: AbortController }): void {
    if (timer.cancel.signal.aborted || this.#closed) return;
    this.#timer = undefined;
    /* Timers may fire slightly early; one millisecond of tolerance avoids a second timer. */
    const now = this.#clock.monotonic() + 1;
    let next = Infinity;
    for (const [key, at] of [...this.#later])
      if (at <= now) this.#addNow(key);
      else next = Math.min(next, at);
    this.#setTimer(next);
  }
}
