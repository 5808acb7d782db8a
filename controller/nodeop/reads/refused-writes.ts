/** The last refused write of each operation and node, for status messages only; losing it costs nothing, since the next attempt sets it again. */
export class RefusedWrites {
  /** Messages by uid of the operation and name of the node. */
  readonly #messages = new Map<string, Map<string, string>>();

  of(operation: string): ReadonlyMap<string, string> {
    return this.#messages.get(operation) ?? new Map();
  }

  record(operation: string, node: string, message: string): void {
    const known = this.#messages.get(operation) ?? new Map<string, string>();
    this.#messages.set(operation, known.set(node, message));
  }

  clear(operation: string, node: string): void {
    this.#messages.get(operation)?.delete(node);
  }

  forget(operation: string): void {
    this.#messages.delete(operation);
  }
}
