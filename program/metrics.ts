/** Numbers for Prometheus. Only controller and webhook import this: the agent is kept small. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricsSource } from './health.js';

/** One registry per program; the prefix is put before every name made here. */
export class MetricsRegistry implements MetricsSource {
  readonly #registry = new Registry();
  readonly #prefix: string;

  constructor({
    prefix = 'kairos_operator_',
    withProcessMetrics = true,
  }: { prefix?: string; withProcessMetrics?: boolean } = {}) {
    this.#prefix = prefix;
    if (withProcessMetrics) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** What only grows; its name should end in `_total`. */
  counter<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name: this.#prefix + name, help, labelNames, registers: [this.#registry] });
  }

  /** What goes up and down. `collect` is called when somebody reads. */
  gauge<L extends string>(
    name: string,
    help: string,
    { labelNames = [], collect }: { labelNames?: readonly L[]; collect?: (gauge: Gauge<L>) => void } = {},
  ): Gauge<L> {
    const gauge: Gauge<L> = new Gauge({
      name: this.#prefix + name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => collect?.(gauge),
    });
    return gauge;
  }

  /** How often how much; in seconds where it is about time. */
  histogram<L extends string>(
    name: string,
    help: string,
    { labelNames = [], buckets }: { labelNames?: readonly L[]; buckets?: number[] } = {},
  ): Histogram<L> {
    const base = { name: this.#prefix + name, help, labelNames, registers: [this.#registry] };
    return new Histogram(buckets ? { ...base, buckets } : base);
  }
}
