/** The admission webhook: a certificate first, then a server, then readiness; after the signal, the same backwards. */
import { MetricsRegistry } from '../program/metrics.js';
import { runProgram } from '../program/run.js';
import { createApp } from './app.js';
import { readConfig } from './config.js';
import { certificateKeeper, connect } from './connect.js';
import { webhookMetrics } from './metrics.js';
import { WebhookServer } from './server.js';

/** After SIGTERM the Service still sends requests here until every node has heard that this Pod is going. */
const LINGER_MS = 5_000;

void runProgram('webhook', readConfig, async ({ config, log, clock, signal, health }) => {
  const kube = await connect(config, signal);
  const registry = new MetricsRegistry();
  const keeper = certificateKeeper(kube, config, { clock, log, show: pair => server.show(pair) });
  const onSeen = webhookMetrics(registry, () => keeper.expiry());
  const server = new WebhookServer(createApp({ health, log, onSeen }));
  health.metrics(registry);
  let listening = false;
  health.ready('server', () => (listening ? undefined : 'not listening yet'));
  health.ready('certificate', () => keeper.fault());
  health.ready('authority', () => keeper.untold());

  await keeper.first(signal);
  await server.listen(config.webhookPort);
  listening = true;
  await keeper.keep(signal);

  await clock.sleep(LINGER_MS);
  await server.stop();
  kube.close();
});
