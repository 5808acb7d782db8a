/** What the API server last refused, by operation and node, in its words. Only a memory for messages: the next try tells again. */
export class RefusedWrites {
  readonly #words = new Map<string, Map<string, string>>();

  of(operation: string): ReadonlyMap<string, string> {
    return this.#words.get(operation) ?? new Map();
  }

  record(operation: string, node: string, words: string): void {
    const known = this.#words.get(operation) ?? new Map<string, string>();
    this.#words.set(operation, known.set(node, words));
  }

  clear(operation: string, node: string): void {
    this.#words.get(operation)?.delete(node);
  }

  forget(operation: string): void {
    this.#words.delete(operation);
  }
}
