/** Reads from the API server what a watch should have told. An event that never came would otherwise be waited for without end. */
import type { Clock } from '../program/clock.js';
import type { Cache } from './cache.js';
import { isNotFound } from './errors.js';
import type { Kube, Name, Resource, Stored } from './kube.js';

/** What is news there rings by itself. */
export async function refreshObject<T extends Stored>(
  kube: Pick<Kube, 'get'>,
  resource: Resource,
  cache: Cache<T>,
  at: Name,
): Promise<void> {
  const known = cache.get(at);
  try {
    cache.putLive(await kube.get<T>(resource, at));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    if (known) cache.remove(known);
  }
}

/** A watch that has been silent for so long about something that is waited for is no longer believed. */
export const STALE_AFTER_MS = 5 * 60_000;

/** Since when each of several things has been as it is. */
export class StalenessTracker {
  readonly #clock: Clock;
  readonly #since = new Map<string, { as: string; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has it been so for too long? If so, the time counts anew. */
  isStale(key: string, as: string): boolean {
    const now = this.#clock.monotonic();
    const since = this.#since.get(key);
    const isOver = since?.as === as && now - since.at >= STALE_AFTER_MS;
    if (since?.as !== as || isOver) this.#since.set(key, { as, at: now });
    return isOver;
  }

  forget(key: string): void {
    this.#since.delete(key);
  }
}
