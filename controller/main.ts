import { hostname } from 'node:os';
import { LEADER_LEASE } from '../api/names.js';
import { whileLeader } from '../kube/leader.js';
import { recorder } from '../kube/event-recorder.js';
import { serverClock } from '../kube/server-clock.js';
import { runProgram } from '../program/run.js';
import { connect } from './cluster/connect.js';
import { withPullSecrets } from './cluster/pull-secrets.js';
import { configWarnings, controllerSettings, readConfig } from './config.js';
import { runControllers } from './controllers.js';
import { keepScaledDown } from './legacy/scale-down.js';

void runProgram('controller', readConfig, async ({ config, log, clock: ownClock, signal }) => {
  for (const warning of configWarnings(config)) log.warn({ namespace: config.podNamespace }, warning);
  const clock = serverClock(ownClock, log);
  const client = await connect(config, time => clock.observe(time));
  const identity = config.podName ?? hostname();
  const settings = { ...controllerSettings(config), log, clock, identity };
  const lease = { namespace: config.podNamespace, name: LEADER_LEASE, identity };
  const events = recorder(client, { log, clock, instance: identity });
  void keepScaledDown({ ...settings, kube: client, recorder: events }, signal);
  await whileLeader(client, lease, { log, clock, signal }, leading =>
    runControllers(withPullSecrets(client.with(leading), config.imagePullSecrets), settings, leading),
  );
});
