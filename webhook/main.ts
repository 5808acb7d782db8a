/** The admission webhook: a certificate first, then a server, then readiness; after the signal, the same backwards. */
import { MetricsRegistry } from '../program/metrics.js';
import { runProgram } from '../program/run.js';
import { createApp } from './app.js';
import { watchCaBundle } from './ca-bundle-watch.js';
import { readConfig } from './config.js';
import { createCertificateRotation, connect, webhookConfigurations } from './connect.js';
import { webhookMetrics } from './metrics.js';
import { ClusterCache } from './cluster-warnings/cluster-cache.js';
import { WebhookServer } from './server.js';

/** After SIGTERM the Service still sends requests here until every node has heard that this Pod is going. */
const LINGER_MS = 5_000;

void runProgram('webhook', readConfig, async ({ config, log, clock, signal, health }) => {
  const kube = await connect(config, signal);
  const registry = new MetricsRegistry();
  const cluster = new ClusterCache({ kube, clock, log });
  const keeper = createCertificateRotation(kube, config, { clock, log, show: pair => server.setCertificate(pair) });
  const onReview = webhookMetrics(registry, () => keeper.expiry());
  const server = new WebhookServer(createApp({ health, log, onReview, reach: request => cluster.reach(request) }));
  health.serveMetrics(registry);
  let listening = false;
  health.addReadinessCheck('server', () => (listening ? undefined : 'not listening'));
  health.addReadinessCheck('certificate', () => keeper.certificateFault());
  health.addReadinessCheck('authority', () => keeper.publicationFault());
  health.addReadinessCheck('cluster', () => cluster.syncFault());

  const watching = [
    cluster.run(signal),
    watchCaBundle(kube, { places: webhookConfigurations(config), keeper }, { clock, log }, signal),
  ];
  await keeper.waitForCertificate(signal);
  await server.listen(config.webhookPort);
  listening = true;
  await Promise.all([keeper.run(signal), ...watching]);

  listening = false;
  server.drain();
  await clock.sleep(LINGER_MS);
  await server.stop();
  kube.close();
});
