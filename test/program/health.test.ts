import { afterEach, describe, expect, test } from '@jest/globals';
import { Health } from '../../program/health.js';
import { MetricsRegistry } from '../../program/metrics.js';

let health = new Health();
afterEach(() => health.close());

async function get(path: string): Promise<[number, string]> {
  const port = await health.listen(0, '127.0.0.1');
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  const text = await answer.text();
  await health.close();
  return [answer.status, text];
}

describe('the health server', () => {
  test('answers 200 without checks and 404 for /metrics without metrics', async () => {
    health = new Health();
    expect(await get('/healthz')).toEqual([200, 'ok\n']);
    expect(await get('/readyz?verbose')).toEqual([200, 'ok\n']);
    expect((await get('/metrics'))[0]).toBe(404);
  });

  test('reports each failed check with its reason, separately for liveness and readiness', async () => {
    health = new Health();
    health.addLivenessCheck('loop', () => undefined);
    health.addReadinessCheck('cache', () => 'not filled yet');
    health.addReadinessCheck('certificate', () => {
      throw new Error('none');
    });
    expect(await get('/healthz')).toEqual([200, '[+] loop ok\n']);
    expect(await get('/readyz')).toEqual([503, '[-] cache: not filled yet\n[-] certificate: none\n']);
  });

  test('serves metrics with prefix, labels and buckets', async () => {
    health = new Health();
    const metrics = new MetricsRegistry({ withProcessMetrics: false });
    metrics.counter('reboots_total', 'Reboots.', ['verdict']).inc({ verdict: 'done' });
    metrics.gauge('waiting', 'Waiting keys.', { collect: gauge => gauge.set(3) });
    metrics.histogram('run_seconds', 'Runs.', { buckets: [1] }).observe(0.5);
    health.serveMetrics(metrics);
    const [code, text] = await get('/metrics');
    expect(code).toBe(200);
    expect(text).toContain('kairos_operator_reboots_total{verdict="done"} 1');
    expect(text).toContain('kairos_operator_waiting 3');
    expect(text).toContain('kairos_operator_run_seconds_bucket{le="1"} 1');
  });

  test('answers 500 when metrics fail, and keeps running', async () => {
    health = new Health();
    health.serveMetrics({ contentType: 'text/plain', text: () => Promise.reject(new Error('broken')) });
    expect((await get('/metrics'))[0]).toBe(500);
    expect((await get('/healthz'))[0]).toBe(200);
  });
});
