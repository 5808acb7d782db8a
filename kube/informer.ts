/**
 * Keeps a cache of one resource type up to date.
 *
 *     list ──▶ watch ──▶ watch ──▶ …        each watch continues from the last version observed
 *      ▲  ▲      │ version expired
 *      │  └──────┤
 *    pause ◀─────┘ rejected, disconnected or idle: retry the same state after a backoff
 *
 * It ends only when its signal aborts. Connection failures, server errors and idle watches all lead to a pause and a retry.
 */
import type { Clock } from '../program/clock.js';
import type { Log } from '../program/log.js';
import { backoffMs } from './backoff.js';
import { type Cache, ObjectCache } from './cache.js';
import { isGone, KubeError } from './errors.js';
import type { Kube, Resource, Stored } from './kube.js';
import { listAll } from './list-pages.js';
import { pageLimit, type PageLimit } from './page-limit.js';

export interface InformerOptions<T extends Stored> {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  indexes?: Record<string, (object: T) => readonly string[]>;
  /** Drops unused fields; applied to each object as it is read, so that a large list is never in memory as a whole. */
  transform?: (object: T) => T;
  log: Log;
  clock: Clock;
  random?: () => number;
  /** Requested duration of one watch in seconds. */
  watchSeconds?: number;
  /** The largest number of objects in one page; their size makes it smaller. */
  pageSize?: number;
}

export interface Informer<T extends Stored> {
  cache: Cache<T>;
  /** Lists and watches until the signal aborts. Call it once. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the first list is stored, or when the signal aborts. */
  waitForSync(signal: AbortSignal): Promise<void>;
}

type State =
  | { at: 'list' }
  | { at: 'watch'; from: string }
  | { at: 'pause'; then: { at: 'list' } | { at: 'watch'; from: string } };

/** A watch that ends earlier without an event counts as failed, so that a server that ends every watch is not queried in a busy loop. */
const SHORT_WATCH_MS = 1_000;
/** After this many consecutive failures the informer lists again: the server may reject the version for another reason than its age. */
const FAILURES_BEFORE_LIST = 5;
const BACKOFF = { firstMs: 1_000, longestMs: 30_000 };

class Reflector<T extends Stored> implements Informer<T> {
  readonly cache: ObjectCache<T>;
  readonly #kube: Kube;
  readonly #resource: Resource;
  readonly #options: InformerOptions<T>;
  readonly #log: Log;
  readonly #random: () => number;
  /** Kept from list to list: the objects of one type change little in size. */
  readonly #pageLimit: PageLimit;
  #failures = 0;
  #resolveSynced: () => void = () => undefined;
  readonly #synced = new Promise<void>(resolve => (this.#resolveSynced = resolve));

  constructor(kube: Kube, resource: Resource, options: InformerOptions<T>) {
    this.#kube = kube;
    this.#resource = resource;
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#pageLimit = pageLimit(options.pageSize);
    this.#log = options.log.child({ informer: resource.plural });
    this.cache = new ObjectCache<T>({
      indexes: options.indexes,
      transform: options.transform,
      onHandlerError: error => this.#log.error({ err: error }, 'cache change handler failed'),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    let state: State = { at: 'list' };
    while (!signal.aborted) state = await this.#step(state, signal);
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    if (this.cache.hasSynced() || signal.aborted) return;
    let stop = () => {};
    const stopped = new Promise<void>(resolve => {
      stop = resolve;
      signal.addEventListener('abort', stop, { once: true });
    });
    await Promise.race([this.#synced, stopped]);
    signal.removeEventListener('abort', stop);
  }

  async #step(state: State, signal: AbortSignal): Promise<State> {
    if (state.at === 'list') return this.#list(signal);
    if (state.at === 'watch') return this.#watch(state.from, signal);
    await this.#options.clock.sleep(backoffMs(this.#failures, BACKOFF, this.#random), signal);
    return state.then;
  }

  async #list(signal: AbortSignal): Promise<State> {
    const { namespace, labelSelector, fieldSelector, transform: reduce } = this.#options;
    const selection = { namespace, labelSelector, fieldSelector, reduce };
    try {
      const options = { ...selection, limit: this.#pageLimit, signal };
      const { items, resourceVersion } = await listAll<T>(this.#kube, this.#resource, options);
      this.cache.replaceAll(items, resourceVersion);
      this.#resolveSynced();
      return { at: 'watch', from: resourceVersion };
    } catch (error) {
      return this.#failed(error, { at: 'list' }, signal);
    }
  }

  async #watch(from: string, signal: AbortSignal): Promise<State> {
    const { namespace, labelSelector, fieldSelector, clock, watchSeconds = 300 } = this.#options;
    const timeoutSeconds = Math.ceil(watchSeconds * (0.9 + 0.2 * this.#random()));
    const query = { namespace, labelSelector, fieldSelector, resourceVersion: from, timeoutSeconds };
    const start = clock.monotonic();
    let reached = from;
    try {
      for await (const event of this.#kube.watch<T>(this.#resource, query, signal)) {
        if (event.type === 'ERROR') throw asError(event.object);
        this.#failures = 0;
        reached = event.object.metadata.resourceVersion;
        if (event.type === 'BOOKMARK') this.cache.advanceTo(reached);
        else this.cache.applyEvent(event.type, event.object);
      }
      if (reached === from && clock.monotonic() - start < SHORT_WATCH_MS)
        throw new Error('the watch ended immediately');
      this.#failures = 0;
      return { at: 'watch', from: reached };
    } catch (error) {
      const needsList = isGone(error) || (this.#failures + 1) % FAILURES_BEFORE_LIST === 0;
      return this.#failed(error, needsList ? { at: 'list' } : { at: 'watch', from: reached }, signal);
    }
  }

  #failed(error: unknown, then: { at: 'list' } | { at: 'watch'; from: string }, signal: AbortSignal): State {
    if (signal.aborted) return then;
    this.#failures += 1;
    this.#log.warn({ err: error, failures: this.#failures, next: then.at }, 'list or watch failed, retrying');
    /* An expired version is normal after a quiet period, so the first one is retried without a pause. */
    return isGone(error) && this.#failures === 1 ? then : { at: 'pause', then };
  }
}

const asError = (status: { code?: number; message?: string; reason?: string }) =>
  new KubeError(status.code ?? 500, status.message ?? 'the watch ended with an error', status.reason);

/** Creates the cache of one resource type and the list-watch loop that fills it; nothing is requested before `run`. */
export function informer<T extends Stored>(kube: Kube, resource: Resource, options: InformerOptions<T>): Informer<T> {
  return new Reflector(kube, resource, options);
}
