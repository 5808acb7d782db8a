/** Checks the sample's disruption budget at every change of its Pods, so that no short violation is missed. */

/** The part of a Pod that decides whether the budget counts it. */
export interface PodState {
  name: string;
  ready: boolean;
  terminating: boolean;
}

export interface BudgetReport {
  /** How often the budget was checked. */
  checks: number;
  /** The lowest number of ready Pods at any check; absent before the first one. */
  fewestReady?: number;
  violations: readonly string[];
}

/** Keeps the state of the sample's Pods, updated by one watch event at a time. */
export class BudgetWatch {
  readonly #pods = new Map<string, PodState>();
  readonly #violations: string[] = [];
  #checks = 0;
  #fewestReady: number | undefined;

  constructor(readonly required: number) {}

  /** Number of Pods that are Ready and not terminating: a PodDisruptionBudget counts the same ones. */
  get ready(): number {
    return [...this.#pods.values()].filter(pod => pod.ready && !pod.terminating).length;
  }

  set(pod: PodState): void {
    this.#pods.set(pod.name, pod);
  }

  remove(name: string): void {
    this.#pods.delete(name);
  }

  /** Call it after each change, but only once all Pods of the sample have been Ready: before that there is nothing to protect. */
  check(now: Date): void {
    const { ready } = this;
    this.#checks += 1;
    this.#fewestReady = Math.min(this.#fewestReady ?? ready, ready);
    if (ready < this.required) this.#violations.push(`${now.toISOString()}: ${ready} of ${this.required}`);
  }

  report(): BudgetReport {
    return { checks: this.#checks, fewestReady: this.#fewestReady, violations: this.#violations };
  }
}
