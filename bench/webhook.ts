/**
 * Sends the built webhook 200 admission reviews per second over HTTPS and measures its latency and memory. The webhook runs on one core, and its
 * API server is a fake with 1,000 nodes. `npm run build && npx tsx bench/webhook.ts [path of node]` prints the rows of RESULTS.md.
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
import { HttpsApiServer } from '../test/fakes/https-api-server.js';
import { COSTLY_REVIEWS } from '../test/webhook/costly-reviews.js';
import { review } from '../test/webhook/reviews.js';

const NODE_COUNT = 1_000;
const PER_SECOND = 200;
const SECONDS = { warm: 10, measured: 60 };
const COSTLY_REPEATS = 3;
/** The flags of the Deployment. */
const FLAGS = ['--optimize-for-size', '--max-semi-space-size=1', '--max-old-space-size=64'];
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };

/** A typical upgrade with many excluded paths: about 2 KB including the AdmissionReview around it. */
const REVIEW = JSON.stringify(
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

async function fakeCluster(): Promise<HttpsApiServer> {
  const server = await HttpsApiServer.start();
  const kube = createKube(server.connection(), { userAgent: 'bench/0' });
  const webhooks: object[] = [];
  for (const resource of [VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS])
    await kube.create(resource, { metadata: { name: 'kairos-operator-webhook' }, webhooks });
  const labels = { 'kubernetes.io/os': 'linux', 'kairos.io/managed': 'true' };
  const status = {
    images: Array.from({ length: 50 }, (_, n) => ({ names: [`registry/${n}@sha256:${'0'.repeat(64)}`] })),
  };
  for (let n = 0; n < NODE_COUNT; n += 1) await kube.create(NODES, { metadata: { name: `n${n}`, labels }, status });
  kube.close();
  return server;
}

/** Starts the webhook as the kubelet does: token and CA certificate in a folder, address of the API server in the environment. */
async function startWebhook(node: string, server: HttpsApiServer, folder: string) {
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

/** Sends one review and returns the milliseconds until its response is complete. */
const sendReview = (agent: Agent, port: number, path: string, body = REVIEW) =>
  new Promise<number>((resolve, reject) => {
    const start = performance.now();
    const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, response => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - start);
        else reject(new Error(`the webhook responded with status ${response.statusCode}`));
      });
    });
    outgoing.on('error', reject).end(body);
  });

/** Sends reviews at a constant rate, whether or not earlier ones are answered, so that queueing shows up in the latency. */
async function sendLoad(agent: Agent, port: number, seconds: number): Promise<number[]> {
  const requests: Promise<number>[] = [];
  const start = performance.now();
  while (requests.length < seconds * PER_SECOND) {
    const due = ((performance.now() - start) / 1000) * PER_SECOND;
    while (requests.length < Math.min(due, seconds * PER_SECOND))
      requests.push(sendReview(agent, port, requests.length % 2 === 0 ? '/mutate' : '/validate'));
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  return Promise.all(requests);
}

const memory = (pid: number, field: string) =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Seconds for which the main thread of the process ran, and for which it was runnable but waited for a core. */
function cpuTime(pid: number): { running: number; waiting: number } {
  const [running = NaN, waiting = NaN] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
  return { running: running / 1e9, waiting: waiting / 1e9 };
}

/** Prints the CPU time of the main thread for the most expensive reviews, and the memory afterwards. */
async function measureCostly(agent: Agent, port: number, pid: number): Promise<void> {
  const rows: { what: string; ms: number }[] = [];
  for (const [what, write] of COSTLY_REVIEWS)
    for (const path of ['/mutate', '/validate']) {
      const body = write();
      const before = cpuTime(pid);
      for (let n = 0; n < COSTLY_REPEATS; n += 1) await sendReview(agent, port, path, body);
      const ms = ((cpuTime(pid).running - before.running) * 1000) / COSTLY_REPEATS;
      rows.push({ what: `${path}: ${what}, ${(body.length / 1e6).toFixed(1)} MB`, ms });
    }
  for (const { what, ms } of rows.toSorted((a, b) => b.ms - a.ms).slice(0, 8))
    console.log(`| ${what} | ${ms.toFixed(0)} ms | ≤ 200 ms |`);
  console.log(
    `| RSS afterwards / peak | ${memory(pid, 'VmRSS').toFixed(0)} / ${memory(pid, 'VmHWM').toFixed(0)} MiB | ≤ 192 MiB |`,
  );
}

async function main(): Promise<void> {
  const base = await nodeBase();
  const node = process.argv[2] ?? join(base.tar.replace(/\.tar$/, ''), 'usr/bin/node');
  const folder = mkdtempSync(join(tmpdir(), 'webhook-bench-'));
  const server = await fakeCluster();
  const { child, port } = await startWebhook(node, server, folder);
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
    await sendLoad(agent, port, SECONDS.warm);
    /* Event loop delay of this process: when it is high, other load on the machine distorts the figures. */
    const ownDelay = monitorEventLoopDelay({ resolution: 1 });
    ownDelay.enable();
    const before = cpuTime(child.pid ?? 0);
    const times = (await sendLoad(agent, port, SECONDS.measured)).sort((a, b) => a - b);
    const after = cpuTime(child.pid ?? 0);
    const at = (share: number) => `${(times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(2)} ms`;
    console.log(
      `| latency: p50 / p99 / max of ${times.length} | ${at(0.5)} / ${at(0.99)} / ${at(0.99999)} | ≤ 3 / 10 ms |`,
    );
    ownDelay.disable();
    const perReview = (seconds: number) => `${((seconds / times.length) * 1000).toFixed(2)} ms`;
    const delay = `${(ownDelay.percentile(99) / 1e6).toFixed(1)} / ${(ownDelay.max / 1e6).toFixed(0)} ms`;
    console.log(
      `| per review: running / waiting for a core | ${perReview(after.running - before.running)} / ${perReview(after.waiting - before.waiting)} | |`,
    );
    console.log(`| event loop delay of the benchmark: p99 / max | ${delay} | |`);
    console.log(
      `| RSS with ${NODE_COUNT} nodes in its cache, before / after / peak | ${atRest.toFixed(0)} / ${memory(child.pid ?? 0, 'VmRSS').toFixed(0)} / ${memory(child.pid ?? 0, 'VmHWM').toFixed(0)} MiB | ≤ 110 MiB |`,
    );
    await measureCostly(agent, port, child.pid ?? 0);
    agent.destroy();
  } finally {
    child.kill('SIGKILL');
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
