/** The webhook as it is shipped, beside a small API server: when it calls itself ready, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from '../../kube/resources.js';
import { createKube } from '../../kube/client.js';
import { HttpsApiServer } from '../fakes/https-api-server.js';
import { freePort } from '../cluster/daemon.js';
import { until } from '../kube/samples.js';
import { review } from './reviews.js';

const NAME = 'kairos-operator-webhook';

let folder: string;
let server: HttpsApiServer;
let child: ChildProcess;
let ports: { webhook: number; health: number };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webhook-'));
  await build({
    entryPoints: ['webhook/main.ts'],
    outfile: join(folder, 'webhook.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'error',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(async () => void (server = await HttpsApiServer.start()));
afterEach(async () => {
  child.kill('SIGKILL');
  await server.stop();
});

async function configure(): Promise<void> {
  const kube = createKube(server.connection(), { userAgent: 'test/0' });
  const webhooks = [{ name: 'a', clientConfig: { service: {} } }];
  for (const resource of [VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS])
    await kube.create(resource, { metadata: { name: NAME }, webhooks });
  kube.close();
}

async function start(): Promise<void> {
  ports = { webhook: await freePort(), health: await freePort() };
  writeFileSync(join(folder, 'token'), 'secret');
  writeFileSync(join(folder, 'ca.crt'), server.ca);
  const env = {
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(server.port),
    SERVICE_ACCOUNT_DIR: folder,
    WEBHOOK_PORT: String(ports.webhook),
    HEALTH_PORT: String(ports.health),
    EXTRA_NAMES: 'localhost',
  };
  child = spawn(process.execPath, [join(folder, 'webhook.cjs')], { env, stdio: 'ignore' });
}

/** Undefined while nothing listens there. */
async function readiness(): Promise<{ ok: boolean; said: string } | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${ports.health}/readyz`);
    return { ok: answer.ok, said: await answer.text() };
  } catch {
    return undefined;
  }
}

const authority = () => {
  const place = { collection: 'v1/secrets', namespace: 'operator-system', name: `${NAME}-certificate` };
  const data = server.store.get(place)?.data as Record<string, string> | undefined;
  return Buffer.from(data?.['ca.crt'] ?? '', 'base64').toString();
};

/** Code of the answer, and whether the connection is given back. */
const ask = () =>
  new Promise<{ code?: number; connection?: string }>((resolve, reject) => {
    const body = JSON.stringify(review());
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const to = { host: '127.0.0.1', port: ports.webhook, path: '/validate', method: 'POST', headers };
    request({ ...to, ca: authority(), servername: 'localhost', agent: false }, response => {
      resolve({ code: response.resume().statusCode, connection: response.headers.connection });
    })
      .on('error', reject)
      .end(body);
  });

test('it is not ready before it has seen the cluster and is trusted, is ready then, and serves on for a while when told to stop', async () => {
  server.injectFault({ status: 503 }, Infinity, ({ path }) => path.endsWith('/nodes'));
  await start();
  await until(async () => {
    const now = await readiness();
    return now?.said.includes('[+] certificate ok') === true && now.said.includes('not yet seen: nodes');
  });
  expect(await readiness()).toMatchObject({
    ok: false,
    said: expect.stringContaining('authority: not yet in every webhook configuration'),
  });
  server.clearFaults();
  await until(async () => (await readiness())?.said.includes('[+] cluster ok') === true);
  expect((await readiness())?.ok).toBe(false);
  await configure();
  await until(async () => (await readiness())?.ok === true);
  expect(await ask()).toMatchObject({ code: 200 });

  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await until(async () => (await readiness())?.said.includes('server: not listening') === true);
  expect(await ask()).toEqual({ code: 200, connection: 'close' });
  expect(await ended).toEqual([0, null]);
});
