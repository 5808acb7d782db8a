/** A local store of the objects of one watch, as plain objects with indexes. */
import { keyOf } from './object-key.js';
import type { Name, Stored } from './kube.js';
import { isLater } from './resource-version.js';

/** Only `old`: deleted. Only `new`: added. An object replaced by another of the same name is reported as a deletion followed by an addition. */
export interface Change<T> {
  old?: T;
  new?: T;
}

/** The cache as its readers see it. Objects are shared and must not be modified. */
export interface Cache<T extends Stored> {
  get(at: Name): T | undefined;
  list(): T[];
  /** All objects that the index holds under `key`; throws when the cache has no such index. */
  byIndex(index: string, key: string): T[];
  /** Whether a complete list has been stored. */
  hasSynced(): boolean;
  /** Stores the response to a write of this program, so that the next read sees it. Only for objects that the watch selects. */
  put(object: T): void;
  /** Stores an object just read from the API server, which may be one that the watch never reported. */
  putLive(object: T): void;
  /** Removes an object that the API server reported as not found. */
  remove(object: T): void;
  onChange(handler: (change: Change<T>) => void): void;
}

export interface CacheOptions<T> {
  indexes?: Record<string, (object: T) => readonly string[]>;
  /** Drops unused fields before an object is stored. */
  transform?: (object: T) => T;
  /** Called when a handler throws; the other handlers still run. */
  onHandlerError?: (error: unknown) => void;
}

/** How many deleted uids are remembered: more objects than can be deleted while one is being read. */
const MAX_DELETED_UIDS = 1_000;

/**
 * Guarantees that an object never returns to an older version, and that an outdated response does not restore a deleted object.
 * `put` needs no tombstones for that: watch events arrive in version order, so an object that is absent although the watch has
 * passed the version of the response was deleted in the meantime.
 */
export class ObjectCache<T extends Stored> implements Cache<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<
    string,
    { keysOf: (object: T) => readonly string[]; entries: Map<string, Set<string>> }
  >();
  readonly #handlers: ((change: Change<T>) => void)[] = [];
  readonly #transform: (object: T) => T;
  readonly #onHandlerError: (error: unknown) => void;
  /** The latest resource version that the watch has reached. */
  #reached: string | undefined;
  #synced = false;
  /** Uids of the most recently deleted objects. */
  readonly #deletedUids = new Set<string>();

  constructor(options: CacheOptions<T> = {}) {
    this.#transform = options.transform ?? (object => object);
    this.#onHandlerError = options.onHandlerError ?? (() => undefined);
    for (const [name, keysOf] of Object.entries(options.indexes ?? {}))
      this.#indexes.set(name, { keysOf, entries: new Map() });
  }

  get(at: Name): T | undefined {
    return this.#objects.get(keyOf(at));
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  byIndex(index: string, key: string): T[] {
    const found = this.#indexes.get(index);
    if (!found) throw new Error(`this cache has no index ${index}`);
    const keys = [...(found.entries.get(key) ?? [])];
    return keys.flatMap(at => this.#objects.get(at) ?? []);
  }

  hasSynced(): boolean {
    return this.#synced;
  }

  onChange(handler: (change: Change<T>) => void): void {
    this.#handlers.push(handler);
  }

  put(object: T): void {
    const known = this.get(object.metadata);
    const latest = known?.metadata.resourceVersion ?? this.#reached;
    if (latest !== undefined && !isLater(object.metadata.resourceVersion, latest)) return;
    this.#set(this.#transform(object));
  }

  /** Ignores an object that was deleted while it was being read. */
  putLive(object: T): void {
    if (this.get(object.metadata) !== undefined) this.put(object);
    else if (!this.#deletedUids.has(object.metadata.uid)) this.#set(this.#transform(object));
  }

  remove({ metadata }: T): void {
    const known = this.get(metadata);
    if (known?.metadata.uid === metadata.uid) this.#remove(known);
  }

  /** Applies one watch event. */
  applyEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    const version = object.metadata.resourceVersion;
    const known = this.get(object.metadata);
    this.advanceTo(version);
    if (type === 'DELETED') {
      this.#rememberDeleted(object);
      if (known && !isLater(known.metadata.resourceVersion, version)) this.#remove(known);
    } else if (!known || isLater(version, known.metadata.resourceVersion)) {
      this.#set(this.#transform(object));
    }
  }

  /** Records that the watch has reached this resource version. */
  advanceTo(version: string): void {
    if (this.#reached === undefined || isLater(version, this.#reached)) this.#reached = version;
  }

  /**
   * Replaces the contents by a complete list, already transformed; `version` is the resource version of the list.
   * Objects stored with a later version are kept, because their events are still to come.
   */
  replaceAll(objects: readonly T[], version: string): void {
    /* A list older than the watch means that the cluster was restored from a backup: then the list is authoritative. */
    const restored = this.#reached !== undefined && isLater(this.#reached, version);
    this.#reached = version;
    const listed = new Set(objects.map(object => keyOf(object.metadata)));
    for (const [key, known] of [...this.#objects])
      if (!listed.has(key) && (restored || !isLater(known.metadata.resourceVersion, version))) this.#remove(known);
    for (const object of objects) {
      const known = this.get(object.metadata);
      const same = known?.metadata.resourceVersion === object.metadata.resourceVersion;
      const older = known && !isLater(object.metadata.resourceVersion, known.metadata.resourceVersion);
      if (!same && (restored || !older)) this.#set(object);
    }
    this.#synced = true;
  }

  #set(object: T): void {
    const known = this.get(object.metadata);
    if (known && known.metadata.uid !== object.metadata.uid) {
      this.#remove(known);
      return this.#set(object);
    }
    const key = keyOf(object.metadata);
    if (known) this.#unindex(key, known);
    this.#objects.set(key, object);
    for (const { keysOf, entries } of this.#indexes.values())
      for (const value of keysOf(object)) entries.set(value, (entries.get(value) ?? new Set()).add(key));
    this.#notify({ old: known, new: object });
  }

  #rememberDeleted({ metadata: { uid } }: T): void {
    this.#deletedUids.add(uid);
    const [oldest] = this.#deletedUids;
    if (oldest !== undefined && this.#deletedUids.size > MAX_DELETED_UIDS) this.#deletedUids.delete(oldest);
  }

  #remove(object: T): void {
    this.#rememberDeleted(object);
    const key = keyOf(object.metadata);
    this.#unindex(key, object);
    this.#objects.delete(key);
    this.#notify({ old: object });
  }

  #unindex(key: string, object: T): void {
    for (const { keysOf, entries } of this.#indexes.values())
      for (const value of keysOf(object)) {
        const keys = entries.get(value);
        keys?.delete(key);
        if (keys?.size === 0) entries.delete(value);
      }
  }

  #notify(change: Change<T>): void {
    for (const handler of this.#handlers)
      try {
        handler(change);
      } catch (error) {
        this.#onHandlerError(error);
      }
  }
}
