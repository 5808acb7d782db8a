/** The bundled webhook program against a small API server: when it becomes ready, and how it stops. */
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

/** Undefined while the health port is closed. */
async function readiness(): Promise<{ ok: boolean; text: string } | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${ports.health}/readyz`);
    return { ok: answer.ok, text: await answer.text() };
  } catch {
    return undefined;
  }
}

const authority = () => {
  const place = { collection: 'v1/secrets', namespace: 'operator-system', name: `${NAME}-certificate` };
  const data = server.store.get(place)?.data as Record<string, string> | undefined;
  return Buffer.from(data?.['ca.crt'] ?? '', 'base64').toString();
};

/** Status code and Connection header of a review. */
const sendReview = () =>
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

test('the webhook becomes ready when its caches are synced and its CA bundle is published, and serves for a while after SIGTERM', async () => {
  server.injectFault({ status: 503 }, Infinity, ({ path }) => path.endsWith('/nodes'));
  await start();
  await until(async () => {
    const now = await readiness();
    return now?.text.includes('[+] certificate ok') === true && now.text.includes('caches not synced: nodes');
  });
  expect(await readiness()).toMatchObject({
    ok: false,
    text: expect.stringContaining('authority: not yet in every webhook configuration'),
  });
  server.clearFaults();
  await until(async () => (await readiness())?.text.includes('[+] cluster ok') === true);
  expect((await readiness())?.ok).toBe(false);
  await configure();
  await until(async () => (await readiness())?.ok === true);
  expect(await sendReview()).toMatchObject({ code: 200 });

  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await until(async () => (await readiness())?.text.includes('server: not listening') === true);
  expect(await sendReview()).toEqual({ code: 200, connection: 'close' });
  expect(await ended).toEqual([0, null]);
});
