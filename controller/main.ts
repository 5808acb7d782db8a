import { hostname } from 'node:os';
import { LEADER_LEASE } from '../api/names.js';
import { whileLeader } from '../kube/leader.js';
import { recorder } from '../kube/recorder.js';
import { runProgram } from '../program/run.js';
import { readConfig, sentinelFrom, toolsFrom } from './config.js';
import { connect } from './cluster/connect.js';
import { runControllers } from './controllers.js';
import { keepScaledDown } from './legacy/scale-down.js';
import { withPullSecrets } from './cluster/pull-secrets.js';

void runProgram('controller', readConfig, async ({ config, log, clock, signal }) => {
  const client = await connect(config);
  const identity = config.podName ?? hostname();
  const lease = { namespace: config.podNamespace, name: LEADER_LEASE, identity };
  const settings = {
    log,
    clock,
    identity,
    defaultImage: config.nodeopDefaultImage,
    sentinel: sentinelFrom(config),
    ownNamespace: config.podNamespace,
    ownNode: config.nodeName,
    tools: toolsFrom(config),
    allowedNamespaces: config.allowedNamespaces,
  };
  const retiring = { ...settings, kube: client, recorder: recorder(client, { log, clock, instance: identity }) };
  void keepScaledDown(retiring, signal);
  await whileLeader(client, lease, { log, clock, signal }, leading =>
    runControllers(withPullSecrets(client.with(leading), config.imagePullSecrets), settings, leading),
  );
});
