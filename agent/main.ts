/** Entry point: `agent` serves one node; `agent sentinel` runs in the Pods of Jobs and records that the Job succeeded. */
import { inCluster } from '../kube/connection.js';
import { createKube } from '../kube/client.js';
import { serverClock } from '../kube/server-clock.js';
import { runProgram } from '../program/run.js';
import { VERSION } from '../program/version.js';
import { runAgent } from './agent.js';
import { readConfig } from './config.js';
import { FenceCheck } from './fence-check.js';
import { realHost } from './host.js';
import { readSystem, SYSTEM_LIBRARY } from './system.js';
import { writeSentinel } from './write-sentinel.js';

async function sentinel(): Promise<void> {
  try {
    process.stdout.write(`wrote ${await writeSentinel(process.env, new Date())}\n`);
  } catch (error) {
    process.stderr.write(`agent sentinel: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function agent(): Promise<void> {
  await runProgram('agent', readConfig, async ({ config, log, clock, signal, health }) => {
    const server = serverClock(clock, log);
    const kube = createKube(inCluster({ dir: config.serviceAccountDir }), {
      userAgent: `kairos-agent/${VERSION}`,
      onServerTime: time => server.observe(time),
    });
    const serverNow = () => server.now();
    const host = realHost(config.hostRoot, clock);
    let synced = false;
    health.addReadinessCheck('nodeagent', () => (synced ? undefined : 'the NodeAgent has not been read yet'));
    if (config.probePort > 0) await health.listen(config.probePort, '127.0.0.1');
    const { nodeName } = config;
    const onSynced = () => void (synced = true);
    const system = config.systemFacts ? () => readSystem(host, SYSTEM_LIBRARY) : undefined;
    const fenceCheck = new FenceCheck({ kube, clock, log, nodeName });
    const deps = { kube, host, clock, serverNow, log, nodeName, agentVersion: VERSION, onSynced, system, fenceCheck };
    await runAgent(deps, signal);
    kube.close();
  });
}

void (process.argv[2] === 'sentinel' ? sentinel() : agent());
