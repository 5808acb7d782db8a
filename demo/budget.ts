/** Whether the sample's disruption budget held: judged at every change of its Pods, so that no moment is missed. */

/** As much of a Pod as the budget asks about. */
export interface PodSeen {
  name: string;
  ready: boolean;
  leaving: boolean;
}

export interface Verdict {
  looks: number;
  /** The fewest that answered at any moment. */
  fewest?: number;
  violations: readonly string[];
}

/** Follows the Pods one change at a time, as the watch tells them. */
export class BudgetWatch {
  readonly #pods = new Map<string, PodSeen>();
  readonly #violations: string[] = [];
  #looks = 0;
  #fewest: number | undefined;

  constructor(readonly wanted: number) {}

  /** Pods that answer and are not on their way out: those the budget counts. */
  get answering(): number {
    return [...this.#pods.values()].filter(pod => pod.ready && !pod.leaving).length;
  }

  put(pod: PodSeen): void {
    this.#pods.set(pod.name, pod);
  }

  remove(name: string): void {
    this.#pods.delete(name);
  }

  /** To be called after each change once all Pods of the sample had been seen Ready. */
  look(now: Date): void {
    const answering = this.answering;
    this.#looks += 1;
    this.#fewest = Math.min(this.#fewest ?? answering, answering);
    if (answering < this.wanted) this.#violations.push(`${now.toISOString()}: ${answering} of ${this.wanted}`);
  }

  verdict(): Verdict {
    return { looks: this.#looks, fewest: this.#fewest, violations: this.#violations };
  }
}
