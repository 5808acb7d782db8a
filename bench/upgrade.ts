/**
 * Three nodes, concurrency 1, no firmware delay, stand-in upgrade: the operator's own time per node and its requests, from the API server's audit log.
 * `npm run bench` prints the rows of RESULTS.md.
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
import { type Asked, AUDIT_POLICY, ofOurs, readAudit, tally } from './audit.js';

const NODES = 3;
const IDLE_SECONDS = 60;
const IMAGE = { version: 'v3.6.0', softwareVersion: 'v1.34.4+k3s1', ref: 'localhost/kairos:v3.6.0' };

const sleep = (seconds: number) => new Promise(resolve => setTimeout(resolve, seconds * 1000));
const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const inSeconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

const first = (asked: readonly Asked[], test: (each: Asked) => boolean) => asked.find(test)?.at ?? Number.NaN;
const last = (asked: readonly Asked[], test: (each: Asked) => boolean) => asked.findLast(test)?.at ?? Number.NaN;

interface Walked {
  /** Claim to Job created, evictions and their waiting apart. */
  before: number;
  completeToReboot: number;
  wellToUncordoned: number;
}

/** The moments of one node's walk, as the API server and the node's own power log saw them. */
function walked(asked: readonly Asked[], node: string, rebootCalled: number): Walked {
  const controller = asked.filter(each => each.user.endsWith(':operator-controller'));
  const claimed = first(controller, each => each.resource === 'nodeagents' && each.name === node);
  const created = first(controller, each => each.resource === 'jobs' && each.verb === 'create' && each.at > claimed);
  const drained = controller.filter(each => each.subresource === 'eviction' && each.at > claimed && each.at < created);
  const gone = last(
    asked,
    each =>
      each.resource === 'pods' && each.verb === 'delete' && each.user === `system:node:${node}` && each.at < created,
  );
  const drain = drained.length > 0 && gone > claimed ? gone - (drained[0]?.at ?? gone) : 0;
  const complete = last(
    asked,
    each => each.resource === 'jobs' && each.subresource === 'status' && each.at < rebootCalled,
  );
  const uncordoned = last(controller, each => each.resource === 'nodes' && each.name === node && each.verb === 'patch');
  const well = last(
    asked,
    each =>
      each.user === `system:node:${node}` &&
      each.subresource === 'status' &&
      each.name?.startsWith('operator-agent-') === true &&
      each.at < uncordoned,
  );
  return {
    before: created - claimed - drain,
    completeToReboot: rebootCalled - complete,
    wellToUncordoned: uncordoned - well,
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
  const asked = readAudit(auditLog, start);
  const walks = [...cluster.machines.values()].map(machine =>
    walked(asked, machine.name, Date.parse(machine.powerLog().at(-1)?.split(' ')[0] ?? '')),
  );
  const ours = ofOurs(asked);
  const own = walks.map(walk => walk.before + walk.completeToReboot + walk.wellToUncordoned);
  console.log(`| three nodes, concurrency 1: apply until all done | ${inSeconds(total)} |`);
  console.log(`| own time per node (${own.map(inSeconds).join(', ')}): median | ${inSeconds(median(own))} |`);
  console.log(
    `| Job Complete to reboot call: median | ${inSeconds(median(walks.map(walk => walk.completeToReboot)))} |`,
  );
  console.log(`| pods well to uncordoned: median | ${inSeconds(median(walks.map(walk => walk.wellToUncordoned)))} |`);
  console.log(`| API requests per node, evictions and leases apart | ${(ours.length / NODES).toFixed(1)} |`);
  console.log(`| API requests at rest in ${IDLE_SECONDS} s: leases, others | ${leases}, ${idle.length - leases} |`);
  for (const [what, count] of tally(ours)) console.log(`    ${count} ${what}`);
  for (const [what, count] of tally(idle)) console.log(`    at rest: ${count} ${what}`);
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
