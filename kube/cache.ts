/** What a watch has told us so far, kept as plain objects with indexes. */
import { keyOf } from './key.js';
import type { Name, Stored } from './kube.js';
import { isLater } from './resource-version.js';

/** `old` without `new`: gone. `new` without `old`: appeared. An object replaced under the same name is told as both, in this order. */
export interface Change<T> {
  old?: T;
  new?: T;
}

/** The readers' side. Objects are shared: nobody may change them. */
export interface Cache<T extends Stored> {
  get(at: Name): T | undefined;
  list(): T[];
  /** All objects that the index files under `key`. */
  byIndex(index: string, key: string): T[];
  /** Has a complete list been taken in? */
  hasSynced(): boolean;
  /** The API server's answer to our own write, so that the next look already sees it. Only objects that the watch selects. */
  put(object: T): void;
  /** What the API server itself has just said is there: it may be one of which no watch has told. */
  putLive(object: T): void;
  /** The API server itself said that this object is not there. */
  remove(object: T): void;
  onChange(handler: (change: Change<T>) => void): void;
}

export interface CacheOptions<T> {
  indexes?: Record<string, (object: T) => readonly string[]>;
  /** Drops what nobody reads, before it is kept. */
  transform?: (object: T) => T;
  /** A handler threw: its own affair, the cache goes on. */
  onHandlerError?: (error: unknown) => void;
}

/** More than can be deleted while one object is read. */
const LAST_DELETED = 1_000;

/**
 * Guarantee: an object never goes back to an older version, and a deleted one does not come back by an old answer.
 * No tombstones are needed for that: events come in the order of their versions, so when the watch has passed the version
 * of an answer and the object is not here, it was deleted since.
 */
export class ObjectCache<T extends Stored> implements Cache<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, { keysOf: (object: T) => readonly string[]; rows: Map<string, Set<string>> }>();
  readonly #handlers: ((change: Change<T>) => void)[] = [];
  readonly #transform: (object: T) => T;
  readonly #onHandlerError: (error: unknown) => void;
  /** How far the watch has come. */
  #reached: string | undefined;
  #synced = false;
  /** Uids of the objects that were deleted last. */
  readonly #deleted = new Set<string>();

  constructor(options: CacheOptions<T> = {}) {
    this.#transform = options.transform ?? (object => object);
    this.#onHandlerError = options.onHandlerError ?? (() => undefined);
    for (const [name, keysOf] of Object.entries(options.indexes ?? {}))
      this.#indexes.set(name, { keysOf, rows: new Map() });
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
    const keys = [...(found.rows.get(key) ?? [])];
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
    const behind = known?.metadata.resourceVersion ?? this.#reached;
    if (behind !== undefined && !isLater(object.metadata.resourceVersion, behind)) return;
    this.#set(this.#transform(object));
  }

  /** Unless it was deleted while it was asked for. */
  putLive(object: T): void {
    if (this.get(object.metadata) !== undefined) this.put(object);
    else if (!this.#deleted.has(object.metadata.uid)) this.#set(this.#transform(object));
  }

  remove({ metadata }: T): void {
    const known = this.get(metadata);
    if (known?.metadata.uid === metadata.uid) this.#remove(known);
  }

  /** One event of the watch. */
  applyEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    const version = object.metadata.resourceVersion;
    const known = this.get(object.metadata);
    this.advanceTo(version);
    if (type === 'DELETED') {
      this.#bury(object);
      if (known && !isLater(known.metadata.resourceVersion, version)) this.#remove(known);
    } else if (!known || isLater(version, known.metadata.resourceVersion)) {
      this.#set(this.#transform(object));
    }
  }

  /** The watch has come this far. */
  advanceTo(version: string): void {
    if (this.#reached === undefined || isLater(version, this.#reached)) this.#reached = version;
  }

  /** A complete list, already transformed; `version` is that of the list. What was put in since is kept: its event is yet to come. */
  replaceAll(objects: readonly T[], version: string): void {
    /* A list older than what the watch has reached: the cluster was restored from a backup, the list is the truth. */
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
    if (known) this.#unfile(key, known);
    this.#objects.set(key, object);
    for (const { keysOf, rows } of this.#indexes.values())
      for (const row of keysOf(object)) rows.set(row, (rows.get(row) ?? new Set()).add(key));
    this.#tell({ old: known, new: object });
  }

  #bury({ metadata: { uid } }: T): void {
    this.#deleted.add(uid);
    const [oldest] = this.#deleted;
    if (oldest !== undefined && this.#deleted.size > LAST_DELETED) this.#deleted.delete(oldest);
  }

  #remove(object: T): void {
    this.#bury(object);
    const key = keyOf(object.metadata);
    this.#unfile(key, object);
    this.#objects.delete(key);
    this.#tell({ old: object });
  }

  #unfile(key: string, object: T): void {
    for (const { keysOf, rows } of this.#indexes.values())
      for (const row of keysOf(object)) {
        const keys = rows.get(row);
        keys?.delete(key);
        if (keys?.size === 0) rows.delete(row);
      }
  }

  #tell(change: Change<T>): void {
    for (const handler of this.#handlers)
      try {
        handler(change);
      } catch (error) {
        this.#onHandlerError(error);
      }
  }
}
