/** Reads from the API server instead of the cache. Without them, a lost watch event would be waited for indefinitely. */
import type { Clock } from '../program/clock.js';
import type { Cache } from './cache.js';
import { isNotFound } from './errors.js';
import type { Kube, Name, Resource, Stored } from './kube.js';

/**
 * Reads one object and stores the result in the cache, or removes the object there when it does not exist. The cache notifies its
 * handlers of any change. Throws errors other than not found.
 */
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

/** An object that should change but has not for this long counts as stale, and is read from the API server. */
export const STALE_AFTER_MS = 5 * 60_000;

/** Measures for how long the version of each of several objects has not changed. */
export class StalenessTracker {
  readonly #clock: Clock;
  readonly #observed = new Map<string, { version: string; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether `version` has been the same for `STALE_AFTER_MS`. If so, the time starts again, so that a caller refreshes once per period. */
  isStale(key: string, version: string): boolean {
    const now = this.#clock.monotonic();
    const observed = this.#observed.get(key);
    const isStale = observed?.version === version && now - observed.at >= STALE_AFTER_MS;
    if (observed?.version !== version || isStale) this.#observed.set(key, { version, at: now });
    return isStale;
  }

  /** Forgets an object that is no longer waited for. */
  forget(key: string): void {
    this.#observed.delete(key);
  }
}
