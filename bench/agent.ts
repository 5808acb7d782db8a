/**
 * Measures what an agent costs a node: its working set after the start and when idle, the time from the start of its process until its watch is
 * established and its node labeled, its requests when idle, and the size of the images. `npx tsx bench/agent.ts [idle minutes]` prints the rows of
 * RESULTS.md.
 */
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { install } from '../test/cluster/install.js';
import type { Machine } from '../test/cluster/machine.js';
import { prepare } from '../test/cluster/prepare.js';
import { productImages } from '../test/cluster/product-images.js';
import { RealCluster } from '../test/cluster/real-cluster.js';
import { nodePlans } from '../test/cluster/shared-cluster.js';
import { waitFor } from '../test/cluster/wait.js';
import { AUDIT_POLICY, readAudit, tally } from './audit.js';

const idleMinutes = Number(process.argv[2] ?? 2);
const STARTS = 5;
const AGENT = 'system:serviceaccount:operator-system:operator-agent';
const TICKS_PER_SECOND = 100;

const sleep = (seconds: number) => new Promise(resolve => setTimeout(resolve, seconds * 1000));
const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
const row = (...cells: string[]) => console.log(`| ${cells.join(' | ')} |`);

/** Process id, on the host, of the only agent of the machine. */
function agentPid(machine: Machine): number {
  const [agent, ...more] = machine.processes('/app/agent.cjs');
  if (agent === undefined || more.length > 0)
    throw new Error(`${machine.name} has ${more.length + (agent ? 1 : 0)} agents`);
  return agent.pid;
}

/** Computed as the kubelet does: the memory usage of the container's control group without inactive file pages. */
function workingSet(pid: number): number {
  const line = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .find(text => text.includes(':memory:'));
  const group = join('/sys/fs/cgroup/memory', line?.split(':')[2] ?? '');
  const usage = Number(readFileSync(join(group, 'memory.usage_in_bytes'), 'utf8'));
  const inactive = /^total_inactive_file (\d+)$/m.exec(readFileSync(join(group, 'memory.stat'), 'utf8'))?.[1];
  return usage - Number(inactive);
}

/** Start of a process in milliseconds since the epoch, with a resolution of 10 ms. */
function processStart(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return Date.now() - uptime * 1000 + (Number(fields[19]) / TICKS_PER_SECOND) * 1000;
}

interface StartTimes {
  watching: number;
  labeled: number;
  workingSet: number;
}

/** Deletes the agent's Pod and measures the start of its replacement. */
async function restart(cluster: RealCluster, machine: Machine, auditLog: string): Promise<StartTimes> {
  const old = agentPid(machine);
  const deletedAt = Date.now();
  await cluster.kubectl.do(['delete', 'pods', '-n', 'operator-system', '-l', 'app.kubernetes.io/component=agent']);
  const newRequests = () => readAudit(auditLog, deletedAt).filter(each => each.user === AGENT);
  const first = (verb: string, resource: string) =>
    newRequests().find(each => each.verb === verb && each.resource === resource)?.at ?? NaN;
  await waitFor(
    () => machine.processes('/app/agent.cjs').some(({ pid }) => pid !== old) && first('patch', 'nodes') > 0,
    {
      what: 'the new agent to label its node',
      seconds: 60,
    },
  );
  const pid = agentPid(machine);
  const startedAt = processStart(pid);
  await sleep(5);
  const [watching, labeled] = [first('watch', 'nodeagents') - startedAt, first('patch', 'nodes') - startedAt];
  return { watching, labeled, workingSet: workingSet(pid) };
}

async function compressed(tar: string): Promise<number> {
  const gzip = createGzip({ level: 6 });
  let bytes = 0;
  gzip.on('data', (piece: Buffer) => void (bytes += piece.length));
  await pipeline(createReadStream(tar), gzip);
  return bytes;
}

async function measure(cluster: RealCluster, auditLog: string): Promise<void> {
  const [machine] = cluster.machines.values();
  if (machine === undefined) throw new Error('there is no node');
  const starts: StartTimes[] = [];
  for (let count = 0; count < STARTS; count += 1) starts.push(await restart(cluster, machine, auditLog));
  const spread = (of: (start: StartTimes) => number) => starts.map(start => of(start).toFixed(0)).join(', ');
  row(
    'process start until its watch is established: median',
    `${median(starts.map(one => one.watching)).toFixed(0)} ms`,
    spread(one => one.watching),
  );
  row(
    'process start until its node is labeled: median',
    `${median(starts.map(one => one.labeled)).toFixed(0)} ms`,
    spread(one => one.labeled),
  );
  row('working set 5 s after the start: median', mib(median(starts.map(one => one.workingSet))));

  const since = Date.now();
  await sleep(idleMinutes * 60);
  const idle = readAudit(auditLog, since).filter(each => each.user === AGENT);
  row(`working set after ${idleMinutes} idle minutes`, mib(workingSet(agentPid(machine))));
  const watches = idle.filter(each => each.verb === 'watch').length;
  row(`requests in ${idleMinutes} idle minutes: renewals of its watch, others`, `${watches}, ${idle.length - watches}`);
  for (const [what, count] of tally(idle)) console.log(`    idle: ${count} ${what}`);
}

await prepare();
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const policy = join(folder, 'policy.yaml');
const auditLog = join(folder, 'audit.log');
writeFileSync(policy, AUDIT_POLICY);
const images = await productImages();
for (const [name, { tar }] of Object.entries(images))
  row(
    `image ${name}: compressed, uncompressed`,
    `${megabytes(await compressed(tar))}, ${megabytes(statSync(tar).size)}`,
  );
const cluster = await RealCluster.start({
  nodes: nodePlans(1),
  images: [images.operator.tar, images.agent.tar],
  apiServer: [`--audit-policy-file=${policy}`, `--audit-log-path=${auditLog}`],
});
try {
  await install(cluster, images);
  await sleep(15);
  await measure(cluster, auditLog);
} finally {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}
