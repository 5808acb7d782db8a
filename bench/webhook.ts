/**
 * The built webhook on one core, asked 200 times a second over HTTPS: how long its answers take, what memory it has afterwards.
 * `npm run build && npx tsx bench/webhook.ts [path of node]` prints the rows of RESULTS.md. The cluster it sees is a small fake with that many nodes.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createKube } from '../kube/client.js';
import { MUTATING_WEBHOOKS, NODES, VALIDATING_WEBHOOKS } from '../kube/resources.js';
import { freePort } from '../test/cluster/daemon.js';
import { nodeBase } from '../test/cluster/images.js';
import { waitFor } from '../test/cluster/wait.js';
import { ApiServer } from '../test/fakes/api-server.js';
import { review } from '../test/webhook/reviews.js';

const SIZE = 1_000;
const PER_SECOND = 200;
const SECONDS = { warm: 10, measured: 60 };
/** As in the Deployment. */
const FLAGS = ['--optimize-for-size', '--max-semi-space-size=1', '--max-old-space-size=64'];
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };

/** An upgrade as users write it, with a long selector: some 2 KB with what the API server puts around it. */
const asked = JSON.stringify(
  review({
    kind: 'NodeOpUpgrade',
    spec: {
      image: 'quay.io/kairos/ubuntu:24.04-standard-amd64-generic-v3.6.0-k3s-v1.34.1-k3s1',
      nodeSelector: { matchLabels: { 'kairos.io/managed': 'true' } },
      concurrency: '25%',
      stopOnFailure: true,
      excludePaths: Array.from({ length: 20 }, (_, n) => `/opt/vendor/data/${n}`),
    },
    metadata: { labels: { team: 'nodes' }, annotations: { note: 'x'.repeat(800) } },
  }),
);

async function fakeCluster(): Promise<ApiServer> {
  const server = await ApiServer.start();
  const kube = createKube(server.connection(), { userAgent: 'bench/0' });
  const webhooks: object[] = [];
  for (const resource of [VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS])
    await kube.create(resource, { metadata: { name: 'kairos-operator-webhook' }, webhooks });
  const labels = { 'kubernetes.io/os': 'linux', 'kairos.io/managed': 'true' };
  const status = {
    images: Array.from({ length: 50 }, (_, n) => ({ names: [`registry/${n}@sha256:${'0'.repeat(64)}`] })),
  };
  for (let n = 0; n < SIZE; n += 1) await kube.create(NODES, { metadata: { name: `n${n}`, labels }, status });
  kube.close();
  return server;
}

/** Starts it as the kubelet does: a token and an authority in a folder, the API server's address in the environment. */
async function start(node: string, server: ApiServer, folder: string) {
  const [port, healthPort] = [await freePort(), await freePort()];
  writeFileSync(join(folder, 'token'), 'secret');
  writeFileSync(join(folder, 'ca.crt'), server.ca);
  const env = {
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(server.port),
    SERVICE_ACCOUNT_DIR: folder,
    WEBHOOK_PORT: String(port),
    HEALTH_PORT: String(healthPort),
    EXTRA_NAMES: 'localhost',
    LOG_LEVEL: 'warn',
  };
  const child = spawn('taskset', ['-c', '0', node, ...FLAGS, 'dist/webhook.cjs'], {
    env: { ...process.env, ...ENVIRONMENT, ...env },
    stdio: 'inherit',
  });
  const ready = async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok;
  await waitFor(ready, { what: 'the webhook to be ready', seconds: 60 });
  return { child, port };
}

/** Milliseconds of one answer. */
const ask = (agent: Agent, port: number, path: string) =>
  new Promise<number>((resolve, reject) => {
    const begun = performance.now();
    const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(asked)) };
    const asking = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, response => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - begun);
        else reject(new Error(`answer ${response.statusCode}`));
      });
    });
    asking.on('error', reject).end(asked);
  });

/** Evenly, whether the answers come or not: what waits in a queue is counted as it is. */
async function load(agent: Agent, port: number, seconds: number): Promise<number[]> {
  const asking: Promise<number>[] = [];
  const begun = performance.now();
  while (asking.length < seconds * PER_SECOND) {
    const due = ((performance.now() - begun) / 1000) * PER_SECOND;
    while (asking.length < Math.min(due, seconds * PER_SECOND))
      asking.push(ask(agent, port, asking.length % 2 === 0 ? '/mutate' : '/validate'));
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  return Promise.all(asking);
}

const memory = (pid: number, field: string) =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Seconds that the process' main thread has had a core for, and those it stood ready and had to wait for one. */
function coreTime(pid: number): { had: number; waited: number } {
  const [had = NaN, waited = NaN] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
  return { had: had / 1e9, waited: waited / 1e9 };
}

async function main(): Promise<void> {
  const base = await nodeBase();
  const node = process.argv[2] ?? join(base.tar.replace(/\.tar$/, ''), 'usr/bin/node');
  const folder = mkdtempSync(join(tmpdir(), 'webhook-bench-'));
  const server = await fakeCluster();
  const { child, port } = await start(node, server, folder);
  try {
    const secret = server.store.get({
      collection: 'v1/secrets',
      namespace: 'operator-system',
      name: 'kairos-operator-webhook-certificate',
    });
    const data = (secret as { data?: Record<string, string> } | undefined)?.data;
    const ca = Buffer.from(data?.['ca.crt'] ?? '', 'base64').toString();
    const agent = new Agent({ keepAlive: true, maxSockets: 10, ca, servername: 'localhost' });
    const atRest = memory(child.pid ?? 0, 'VmRSS');
    await load(agent, port, SECONDS.warm);
    /* A machine that has other work shows here first: then the figures tell of that work, not of the webhook. */
    const own = monitorEventLoopDelay({ resolution: 1 });
    own.enable();
    const before = coreTime(child.pid ?? 0);
    const times = (await load(agent, port, SECONDS.measured)).sort((a, b) => a - b);
    const after = coreTime(child.pid ?? 0);
    const at = (share: number) => `${(times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(2)} ms`;
    console.log(
      `| answers: p50 / p99 / longest of ${times.length} | ${at(0.5)} / ${at(0.99)} / ${at(0.99999)} | ≤ 3 / 10 ms |`,
    );
    own.disable();
    const each = (seconds: number) => `${((seconds / times.length) * 1000).toFixed(2)} ms`;
    const stalls = `${(own.percentile(99) / 1e6).toFixed(1)} / ${(own.max / 1e6).toFixed(0)} ms`;
    console.log(
      `| of one answer: on a core / waiting for one | ${each(after.had - before.had)} / ${each(after.waited - before.waited)} | |`,
    );
    console.log(`| stalls of the measuring process: p99 / longest | ${stalls} | |`);
    console.log(
      `| RSS with ${SIZE} nodes seen, before / after / highest | ${atRest.toFixed(0)} / ${memory(child.pid ?? 0, 'VmRSS').toFixed(0)} / ${memory(child.pid ?? 0, 'VmHWM').toFixed(0)} MiB | ≤ 110 MiB |`,
    );
    agent.destroy();
  } finally {
    child.kill('SIGKILL');
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
