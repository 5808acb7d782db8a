/** When this process created the helper Pods of each operation. If this memory is lost, a Pod that vanished is created again without a pause. */
export class CreatedPods {
  /** Times by uid of the operation and name of the Pod. */
  readonly #times = new Map<string, Map<string, Date>>();

  of(operation: string): ReadonlyMap<string, Date> {
    return this.#times.get(operation) ?? new Map();
  }

  record(operation: string, pod: string, at: Date): void {
    const known = this.#times.get(operation) ?? new Map<string, Date>();
    this.#times.set(operation, known.set(pod, at));
  }

  forget(operation: string): void {
    this.#times.delete(operation);
  }
}
