/** What the webhook counts. */
import type { MetricsRegistry } from '../program/metrics.js';

/** One answered question. */
export interface ReviewRecord {
  webhook: 'mutate' | 'validate';
  kind: string;
  verdict: 'allowed' | 'denied' | 'failed';
  seconds: number;
}

/** Answers come within milliseconds; the API server gives up after ten seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Registers the webhook's metrics; returns what is to be told of each question. */
export function webhookMetrics(
  registry: MetricsRegistry,
  expiry: () => Date | undefined,
): (seen: ReviewRecord) => void {
  const requests = registry.counter('webhook_requests_total', 'Questions of the API server.', [
    'webhook',
    'kind',
    'verdict',
  ]);
  const durations = registry.histogram('webhook_request_seconds', 'How long the answers took.', {
    labelNames: ['webhook'],
    buckets: BUCKETS,
  });
  registry.gauge('webhook_certificate_expiry_timestamp_seconds', 'When the serving certificate ends.', {
    collect: gauge => {
      const end = expiry();
      if (end) gauge.set(end.getTime() / 1000);
    },
  });
  return ({ webhook, kind, verdict, seconds }) => {
    requests.inc({ webhook, kind, verdict });
    durations.observe({ webhook }, seconds);
  };
}
