/** Prometheus metrics. The agent does not import this, because prom-client would enlarge its bundle. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricsSource } from './health.js';

/** One registry per program; every metric name gets the prefix. */
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

  /** The name should end in `_total`. */
  counter<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name: this.#prefix + name, help, labelNames, registers: [this.#registry] });
  }

  /** `collect` sets the value when the metrics are scraped. */
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

  /** Durations are in seconds. */
  histogram<L extends string>(
    name: string,
    help: string,
    { labelNames = [], buckets }: { labelNames?: readonly L[]; buckets?: number[] } = {},
  ): Histogram<L> {
    const base = { name: this.#prefix + name, help, labelNames, registers: [this.#registry] };
    return new Histogram(buckets ? { ...base, buckets } : base);
  }
}
