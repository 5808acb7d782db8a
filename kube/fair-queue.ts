/** Entries of several groups, usually namespaces, that take turns: one group with very many entries delays another by one entry at a time. */
export class FairQueue<T> {
  /** The group whose turn is next comes first. A group without entries is absent. */
  readonly #groups = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(group: string, entry: T): boolean {
    return this.#groups.get(group)?.has(entry) ?? false;
  }

  /** Appends an entry to its group, unless it is there already. */
  add(group: string, entry: T): void {
    const entries = this.#groups.get(group) ?? new Set();
    if (entries.has(entry)) return;
    this.#groups.set(group, entries.add(entry));
    this.#size += 1;
  }

  /** Removes and returns the oldest entry of the first group that may have a turn, which is the last one then. */
  take(mayTakeTurn: (group: string) => boolean = () => true): T | undefined {
    for (const [group, entries] of this.#groups) {
      const [entry] = entries;
      if (entry === undefined || !mayTakeTurn(group)) continue;
      this.#remove(group, entry);
      const rest = this.#groups.get(group);
      if (rest && this.#groups.delete(group)) this.#groups.set(group, rest);
      return entry;
    }
    return undefined;
  }

  /** Removes the newest entry of the group that has most. */
  dropFromLongest(): void {
    const [longest] = [...this.#groups].toSorted(([, a], [, b]) => b.size - a.size);
    const newest = longest && [...longest[1]].at(-1);
    if (longest && newest !== undefined) this.#remove(longest[0], newest);
  }

  clear(): void {
    this.#groups.clear();
    this.#size = 0;
  }

  #remove(group: string, entry: T): void {
    const entries = this.#groups.get(group);
    if (entries?.delete(entry)) this.#size -= 1;
    if (entries?.size === 0) this.#groups.delete(group);
  }
}
