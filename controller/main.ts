import { hostname } from 'node:os';
import { LEADER_LEASE } from '../api/names.js';
import { whileLeader } from '../kube/leader.js';
import { recorder } from '../kube/recorder.js';
import { runProgram } from '../program/run.js';
import { allSynced, cachesOf, createInformers } from './caches.js';
import { readConfig } from './config.js';
import { connect } from './connect.js';
import { nodeAgentController } from './nodeagents/controller.js';
import { NodeOpController } from './nodeop/controller.js';
import { sentinelFrom } from './sentinel.js';
import { upgradeController } from './upgrade/controller.js';

void runProgram('controller', readConfig, async ({ config, log, clock, signal }) => {
  const client = await connect(config);
  const identity = config.podName ?? hostname();
  const lease = { namespace: config.podNamespace, name: LEADER_LEASE, identity };
  await whileLeader(client, lease, { log, clock, signal }, async leading => {
    const kube = client.with(leading);
    const informers = createInformers(kube, { log, clock });
    const watching = Object.values(informers).map(each => each.run(leading));
    await allSynced(informers, leading);
    const deps = {
      kube,
      caches: cachesOf(informers),
      recorder: recorder(kube, { log, clock, instance: identity }),
      log,
      clock,
    };
    const nodeOps = new NodeOpController({
      ...deps,
      defaultImage: config.nodeopDefaultImage,
      sentinel: sentinelFrom(config),
      ownNamespace: config.podNamespace,
      ownNode: config.nodeName,
    });
    await Promise.all([
      ...watching,
      nodeAgentController(deps, leading),
      nodeOps.run(leading),
      upgradeController({ ...deps, ...deps.caches }, leading),
    ]);
  });
});
