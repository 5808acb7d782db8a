/** The metrics of the webhook. */
import type { MetricsRegistry } from '../program/metrics.js';

/** One answered review. */
export interface ReviewRecord {
  webhook: 'mutate' | 'validate';
  kind: string;
  verdict: 'allowed' | 'denied' | 'failed';
  seconds: number;
}

/** In seconds. Answers take milliseconds; the API server times out after ten seconds at most. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Registers the metrics; returns the function to call after each review. `expiry` is read when the metrics are scraped. */
export function webhookMetrics(
  registry: MetricsRegistry,
  expiry: () => Date | undefined,
): (record: ReviewRecord) => void {
  const requests = registry.counter('webhook_requests_total', 'Admission reviews by webhook, kind and verdict.', [
    'webhook',
    'kind',
    'verdict',
  ]);
  const durations = registry.histogram('webhook_request_seconds', 'Duration of admission reviews in seconds.', {
    labelNames: ['webhook'],
    buckets: BUCKETS,
  });
  registry.gauge(
    'webhook_certificate_expiry_timestamp_seconds',
    'Expiry of the serving certificate as Unix timestamp.',
    {
      collect: gauge => {
        const end = expiry();
        if (end) gauge.set(end.getTime() / 1000);
      },
    },
  );
  return ({ webhook, kind, verdict, seconds }) => {
    requests.inc({ webhook, kind, verdict });
    durations.observe({ webhook }, seconds);
  };
}
