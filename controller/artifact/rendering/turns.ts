/**
 * Which OSArtifact may have its template rendered now: one at a time, so that the templates of many objects do not add up, and the
 * namespaces in turn, so that many objects of one namespace delay those of another one by one template at most.
 */
export class RenderTurns {
  readonly #onTurn: (key: string) => void;
  /** Keys by namespace, both in the order of their turns. */
  readonly #waiting = new Map<string, Set<string>>();
  #holder: string | undefined;

  /** `onTurn`: called when a key that waited may render. Its reconcile must follow, and end with `end`. */
  constructor(onTurn: (key: string) => void) {
    this.#onTurn = onTurn;
  }

  /** Whether it is the turn of this key; otherwise the key waits for it. */
  take(key: string, namespace: string): boolean {
    if (this.#holder === undefined && this.#waiting.size === 0) this.#holder = key;
    if (this.#holder === key) return true;
    const keys = this.#waiting.get(namespace) ?? new Set<string>();
    this.#waiting.set(namespace, keys.add(key));
    return false;
  }

  /** At the end of each reconcile of a key, whether it rendered or not: it may have changed or been deleted while it waited. */
  end(key: string): void {
    if (this.#holder !== key) return;
    this.#holder = this.#next();
    if (this.#holder !== undefined) this.#onTurn(this.#holder);
  }

  #next(): string | undefined {
    for (const [namespace, keys] of this.#waiting) {
      this.#waiting.delete(namespace);
      const [key] = keys;
      if (key === undefined) continue;
      keys.delete(key);
      if (keys.size > 0) this.#waiting.set(namespace, keys);
      return key;
    }
    return undefined;
  }
}
