/** The admission webhook: obtains a certificate, serves, and becomes ready; after SIGTERM it drains its connections and stops. */
import { MetricsRegistry } from '../program/metrics.js';
import { runProgram } from '../program/run.js';
import { createApp } from './app.js';
import { watchCaBundle } from './ca-bundle-watch.js';
import { ClusterCache } from './cluster-warnings/cluster-cache.js';
import { readConfig } from './config.js';
import { connect, createCertificateRotation, webhookConfigurations } from './connect.js';
import { webhookMetrics } from './metrics.js';
import { WebhookServer } from './server.js';

/** After SIGTERM the Service still routes requests to this Pod, until every node has observed that it is terminating. */
const ENDPOINT_REMOVAL_MS = 5_000;

void runProgram('webhook', readConfig, async ({ config, log, clock, signal, health }) => {
  const kube = await connect(config, signal);
  const registry = new MetricsRegistry();
  const cluster = new ClusterCache({ kube, clock, log });
  const rotation = createCertificateRotation(kube, config, { clock, log, serve: pair => server.setCertificate(pair) });
  const onReview = webhookMetrics(registry, () => rotation.expiry());
  const clusterWarnings = cluster.warningsFor.bind(cluster);
  const server = new WebhookServer(createApp({ health, log, onReview, clusterWarnings }));
  health.serveMetrics(registry);
  let listening = false;
  health.addReadinessCheck('server', () => (listening ? undefined : 'not listening'));
  health.addReadinessCheck('certificate', () => rotation.certificateFault());
  health.addReadinessCheck('authority', () => rotation.publicationFault());
  health.addReadinessCheck('cluster', () => cluster.syncFault());

  const configurations = webhookConfigurations(config);
  const watches = [cluster.run(signal), watchCaBundle(kube, { configurations, rotation }, { clock, log }, signal)];
  await rotation.waitForCertificate(signal);
  await server.listen(config.webhookPort);
  listening = true;
  await Promise.all([rotation.run(signal), ...watches]);

  listening = false;
  server.drain();
  await clock.sleep(ENDPOINT_REMOVAL_MS);
  await server.stop();
  kube.close();
});
