import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createKube } from '../../kube/client.js';
import { inCluster } from '../../kube/connection.js';
import { fromKubeconfig } from '../../kube/kubeconfig.js';
import { HttpsApiServer } from '../fakes/https-api-server.js';
import { THINGS } from './samples.js';

let dir: string;
let server: HttpsApiServer;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'connection-'));
  server = await HttpsApiServer.start();
  await writeFile(join(dir, 'token'), 'first\n');
  await writeFile(join(dir, 'ca.crt'), server.ca);
});
afterEach(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});
const env = () => ({ KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(server.port) });

describe('the connection in a cluster', () => {
  test('uses the token and the CA certificate of the directory', async () => {
    const kube = createKube(inCluster({ env: { ...env(), SERVICE_ACCOUNT_DIR: dir } }), { userAgent: 'test' });
    await kube.list(THINGS);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer first');
    kube.close();
  });

  test('uses a renewed token and CA certificate within a minute', async () => {
    let now = 0;
    const connection = inCluster({ env: env(), dir, monotonic: () => now });
    expect((await connection.credentials()).authorization).toBe('Bearer first');
    await writeFile(join(dir, 'token'), 'second');
    await writeFile(join(dir, 'ca.crt'), 'another');
    now = 59_000;
    expect((await connection.credentials()).authorization).toBe('Bearer first');
    now = 61_000;
    expect(await connection.credentials()).toEqual({ authorization: 'Bearer second', ca: 'another' });
  });

  test('keeps the cached credentials while the directory cannot be read', async () => {
    let now = 0;
    const connection = inCluster({ env: env(), dir, monotonic: () => now });
    await connection.credentials();
    await rm(join(dir, 'token'));
    now = 61_000;
    expect((await connection.credentials()).authorization).toBe('Bearer first');
  });

  test.each([
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'https://10.0.0.1:443'],
    [{ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }, 'https://[fd00::1]:6443'],
  ])('for the environment %j has the server %s', (given, address) =>
    expect(inCluster({ env: given, dir }).server).toBe(address),
  );

  test('fails outside a cluster and names the missing variable', () =>
    expect(() => inCluster({ env: {}, dir })).toThrow('KUBERNETES_SERVICE_HOST'));
});

describe('the connection from a kubeconfig', () => {
  test('authenticates as the user of the current context', async () => {
    const path = join(dir, 'config');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'here',
      contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
      clusters: [
        {
          name: 'c',
          cluster: {
            server: `https://127.0.0.1:${server.port}/`,
            'certificate-authority-data': Buffer.from(server.ca).toString('base64'),
          },
        },
      ],
      users: [{ name: 'u', user: { token: 'of-the-user' } }],
    };
    await writeFile(path, JSON.stringify(config));
    const kube = createKube(await fromKubeconfig(path), { userAgent: 'test' });
    await kube.list(THINGS);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer of-the-user');
    kube.close();
  });

  test('fails when the current context names no cluster', async () => {
    const path = join(dir, 'config');
    await writeFile(path, '{"contexts":[],"clusters":[],"users":[]}');
    await expect(fromKubeconfig(path)).rejects.toThrow('cluster');
  });
});
