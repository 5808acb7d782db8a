import type { Clock } from '../program/clock.js';
import { backoffMs } from './backoff.js';
import { FairQueue } from './fair-queue.js';
import { parseKey } from './object-key.js';

export interface WorkQueueOptions {
  clock: Clock;
  random?: () => number;
  /** Backoff after the first failure of a key; doubles with each further one. */
  firstBackoffMs?: number;
  longestBackoffMs?: number;
  /** How many keys of one namespace are processed at the same time; any number when absent. Keys without a namespace have no limit. */
  maxPerNamespace?: number;
}

const namespaceOf = (key: string): string => parseKey(key).namespace ?? '';

/**
 * A queue of keys to process. A key is queued once however often it is added, with the earliest time at which it was requested.
 * Two workers never process the same key; a key added while it is processed is queued again as soon as it is done.
 * Namespaces take turns, so that one with thousands of keys does not delay the others.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #limits: { firstMs: number; longestMs: number };
  /** Keys to process now, in the order of arrival in each namespace. */
  readonly #ready = new FairQueue<string>();
  readonly #maxPerNamespace: number;
  /** How many keys of each namespace are processed. */
  readonly #busy = new Map<string, number>();
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
    this.#maxPerNamespace = options.maxPerNamespace ?? Infinity;
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
    return this.#startNext() ?? new Promise(resolve => this.#waiters.push(resolve));
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
    const namespace = namespaceOf(key);
    if (this.#processing.delete(key)) this.#busy.set(namespace, (this.#busy.get(namespace) ?? 1) - 1);
    if (this.#busy.get(namespace) === 0) this.#busy.delete(namespace);
    if (this.#addedAgain.delete(key)) this.#addNow(key);
    this.#wakeWaiter();
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
    this.#ready.add(namespaceOf(key), key);
    this.#wakeWaiter();
  }

  /** Hands the next key to a waiting worker, if there are both. */
  #wakeWaiter(): void {
    if (this.#closed || this.#waiters.length === 0) return;
    const key = this.#startNext();
    if (key !== undefined) this.#waiters.shift()?.(key);
  }

  #startNext(): string | undefined {
    const key = this.#ready.take(namespace => this.#mayProcess(namespace));
    if (key === undefined) return undefined;
    const namespace = namespaceOf(key);
    this.#processing.add(key);
    this.#busy.set(namespace, (this.#busy.get(namespace) ?? 0) + 1);
    return key;
  }

  #mayProcess(namespace: string): boolean {
    return namespace === '' || (this.#busy.get(namespace) ?? 0) < this.#maxPerNamespace;
  }

  #addLater(key: string, at: number): void {
    if (this.#ready.has(namespaceOf(key), key) || this.#addedAgain.has(key)) return;
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
