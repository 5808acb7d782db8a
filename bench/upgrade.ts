/**
 * Upgrades three nodes one at a time, without firmware delay and with a stand-in for the upgrade itself, and measures from the API server's audit log
 * how much time the operator adds per node and how many requests it sends. `npm run bench` prints the rows of RESULTS.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kairosImage } from '../test/cluster/images.js';
import { install } from '../test/cluster/install.js';
import { prepare } from '../test/cluster/prepare.js';
import { productImages } from '../test/cluster/product-images.js';
import { RealCluster } from '../test/cluster/real-cluster.js';
import { nodePlans } from '../test/cluster/shared-cluster.js';
import { type AuditedRequest, AUDIT_POLICY, operatorRequests, readAudit, tally } from './audit.js';

const NODES = 3;
const IDLE_SECONDS = 60;
const IMAGE = { version: 'v3.6.0', softwareVersion: 'v1.34.4+k3s1', ref: 'localhost/kairos:v3.6.0' };

const sleep = (seconds: number) => new Promise(resolve => setTimeout(resolve, seconds * 1000));
const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const inSeconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

const firstAt = (requests: readonly AuditedRequest[], test: (each: AuditedRequest) => boolean) =>
  requests.find(test)?.at ?? Number.NaN;
const lastAt = (requests: readonly AuditedRequest[], test: (each: AuditedRequest) => boolean) =>
  requests.findLast(test)?.at ?? Number.NaN;

interface NodeTimes {
  /** From the claim until the Job is created, without the time of the drain. */
  claimToJob: number;
  completeToReboot: number;
  podsReadyToUncordoned: number;
}

/** Durations within one node's walk, from the API server's audit log and the node's power log. */
function nodeTimes(requests: readonly AuditedRequest[], node: string, rebootCalled: number): NodeTimes {
  const controller = requests.filter(each => each.user.endsWith(':operator-controller'));
  const claimed = firstAt(controller, each => each.resource === 'nodeagents' && each.name === node);
  const created = firstAt(controller, each => each.resource === 'jobs' && each.verb === 'create' && each.at > claimed);
  const drained = controller.filter(each => each.subresource === 'eviction' && each.at > claimed && each.at < created);
  const lastPodDeleted = lastAt(
    requests,
    each =>
      each.resource === 'pods' && each.verb === 'delete' && each.user === `system:node:${node}` && each.at < created,
  );
  const drain =
    drained.length > 0 && lastPodDeleted > claimed ? lastPodDeleted - (drained[0]?.at ?? lastPodDeleted) : 0;
  const complete = lastAt(
    requests,
    each => each.resource === 'jobs' && each.subresource === 'status' && each.at < rebootCalled,
  );
  const uncordoned = lastAt(
    controller,
    each => each.resource === 'nodes' && each.name === node && each.verb === 'patch',
  );
  const podsReady = lastAt(
    requests,
    each =>
      each.user === `system:node:${node}` &&
      each.subresource === 'status' &&
      each.name?.startsWith('operator-agent-') === true &&
      each.at < uncordoned,
  );
  return {
    claimToJob: created - claimed - drain,
    completeToReboot: rebootCalled - complete,
    podsReadyToUncordoned: uncordoned - podsReady,
  };
}

async function measure(cluster: RealCluster, auditLog: string): Promise<void> {
  const { kubectl } = cluster;
  await kubectl.do(['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=60s']);
  await sleep(15);
  const idleSince = Date.now();
  await sleep(IDLE_SECONDS);
  const idle = readAudit(auditLog, idleSince).filter(each => /operator-(controller|agent)$/.test(each.user));
  const leases = idle.filter(each => each.resource === 'leases').length;

  const start = Date.now();
  await kubectl.apply({
    apiVersion: 'operator.kairos.io/v1alpha1',
    kind: 'NodeOpUpgrade',
    metadata: { name: 'bench', namespace: 'default' },
    spec: { image: IMAGE.ref, concurrency: 1, settleSeconds: 0 },
  });
  await kubectl.do(['wait', '--for=condition=Complete', 'nodeopupgrade/bench', '--timeout=200s'], { seconds: 210 });
  const total = Date.now() - start;
  await sleep(2);
  const requests = readAudit(auditLog, start);
  const times = [...cluster.machines.values()].map(machine =>
    nodeTimes(requests, machine.name, Date.parse(machine.powerLog().at(-1)?.split(' ')[0] ?? '')),
  );
  const ownRequests = operatorRequests(requests);
  const operatorTimes = times.map(walk => walk.claimToJob + walk.completeToReboot + walk.podsReadyToUncordoned);
  console.log(`| apply until all three nodes are completed, concurrency 1 | ${inSeconds(total)} |`);
  console.log(
    `| time added per node (${operatorTimes.map(inSeconds).join(', ')}): median | ${inSeconds(median(operatorTimes))} |`,
  );
  console.log(`| Job Complete until reboot: median | ${inSeconds(median(times.map(walk => walk.completeToReboot)))} |`);
  console.log(
    `| pods Ready until uncordoned: median | ${inSeconds(median(times.map(walk => walk.podsReadyToUncordoned)))} |`,
  );
  console.log(`| API requests per node, without evictions and leases | ${(ownRequests.length / NODES).toFixed(1)} |`);
  console.log(`| API requests in ${IDLE_SECONDS} idle seconds: leases, others | ${leases}, ${idle.length - leases} |`);
  for (const [what, count] of tally(ownRequests)) console.log(`    ${count} ${what}`);
  for (const [what, count] of tally(idle)) console.log(`    idle: ${count} ${what}`);
}

await prepare();
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const policy = join(folder, 'policy.yaml');
const auditLog = join(folder, 'audit.log');
writeFileSync(policy, AUDIT_POLICY);
const images = await productImages();
const next = await kairosImage(IMAGE);
const cluster = await RealCluster.start({
  nodes: nodePlans(NODES),
  version: { version: 'v3.5.0', softwareVersion: IMAGE.softwareVersion },
  images: [images.operator.tar, images.agent.tar, next.tar],
  apiServer: [`--audit-policy-file=${policy}`, `--audit-log-path=${auditLog}`],
});
try {
  await install(cluster, images);
  await measure(cluster, auditLog);
} finally {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}
