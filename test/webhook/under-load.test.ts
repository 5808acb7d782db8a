/** Certificates, replicas and connections change while two hundred reviews a second are requested; every one is answered. */
import { connect } from 'node:tls';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { issueAuthority, issueServing } from '../../certs/issue.js';
import { MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS } from '../../kube/resources.js';
import { Health } from '../../program/health.js';
import { silentLog } from '../../program/log.js';
import { createApp } from '../../webhook/app.js';
import type { CertificateRotation } from '../../webhook/certificate-rotation.js';
import { SecretStore } from '../../webhook/cert-store.js';
import { dnsNames, readConfig } from '../../webhook/config.js';
import { createCertificateRotation } from '../../webhook/connect.js';
import { type ServerOptions, WebhookServer } from '../../webhook/server.js';
import { type FakeClock, fakeClock } from '../fakes/clock.js';
import { until } from '../kube/samples.js';
import { type Balancer, balancer, type Caller, caller } from './load.js';
import { TinyKube } from './tiny-kube.js';

jest.setTimeout(120_000); // uses real time, on a machine that may be busy

const DAY = 86_400_000;
/** TLS connections check validity by the real time, so the fake clock starts relative to it. */
const clockAt = (fromNowMs = 0) => fakeClock(new Date(Date.now() + fromNowMs).toISOString());
const config = readConfig({ EXTRA_NAMES: 'localhost' }, []);
const SECRET = { name: config.secretName, namespace: config.podNamespace };
const VALIDATING = { name: config.validatingConfiguration };

interface Replica {
  rotation: CertificateRotation;
  server: WebhookServer;
  port: number;
  served: () => number;
}

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.stop();
});

function cluster(): TinyKube {
  const kube = new TinyKube();
  const webhooks = [{ name: 'a', clientConfig: { service: {} } }];
  kube.put(VALIDATING_WEBHOOKS, VALIDATING, { webhooks });
  kube.put(MUTATING_WEBHOOKS, { name: config.mutatingConfiguration }, { webhooks });
  return kube;
}

async function replica(kube: TinyKube, clock: FakeClock, timeouts?: ServerOptions): Promise<Replica> {
  const server = new WebhookServer(createApp({ health: new Health(), log: silentLog }), timeouts);
  let served = 0;
  const serve = (pair: Parameters<WebhookServer['setCertificate']>[0]) => {
    served += 1;
    server.setCertificate(pair);
  };
  const rotation = createCertificateRotation(kube, config, { clock, log: silentLog, serve });
  await rotation.reconcile();
  open.push({ stop: () => server.stop(0) });
  return { rotation, server, port: await server.listen(0, '127.0.0.1'), served: () => served };
}

/** The CA bundle that the API server currently trusts. */
function trustedIn(kube: TinyKube): string {
  const { webhooks } = kube.stored(VALIDATING_WEBHOOKS, VALIDATING) as {
    webhooks: { clientConfig: { caBundle: string } }[];
  };
  return Buffer.from(webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString();
}

function calling(port: number, kube: TinyKube): Caller {
  const calls = caller(port, trustedIn(kube));
  open.push(calls);
  return calls;
}

async function service(...replicas: Replica[]): Promise<Balancer> {
  const balance = await balancer(replicas.map(({ port }) => port));
  open.push(balance);
  return balance;
}

const answerMore = async (calls: Caller, count: number) => {
  const goal = calls.answered() + count;
  await until(() => calls.answered() >= goal || calls.failures.length > 0);
};

describe('none of two hundred requests a second fails', () => {
  test('while two replicas renew the serving certificate and the authority, and drop the previous authority', async () => {
    const [kube, clock] = [cluster(), clockAt(-70 * DAY)];
    /* The authority has been due for renewal since yesterday, the serving certificate for nine days. */
    const authority = issueAuthority(new Date(Date.now() - 2433 * DAY));
    const serving = issueServing(authority, dnsNames(config), clock.now());
    await new SecretStore(kube, SECRET).save({ authority, serving }, undefined);
    const replicas = [await replica(kube, clock), await replica(kube, clock)];
    const calls = calling((await service(...replicas)).port, kube);
    await answerMore(calls, 200);
    const reconcileAll = () => Promise.all(replicas.map(({ rotation }) => rotation.reconcile()));
    const trustPublished = () => calls.trust(trustedIn(kube));

    clock.jumpWallClock(61 * DAY);
    await reconcileAll();
    trustPublished();
    await answerMore(calls, 200);
    expect(replicas.map(({ served }) => served())).toEqual([2, 2]);

    clock.jumpWallClock(9.5 * DAY);
    const reconciling = reconcileAll();
    await clock.advance(3_000);
    expect(trustedIn(kube).split('BEGIN CERTIFICATE')).toHaveLength(3);
    await answerMore(calls, 100);
    trustPublished();
    await clock.advance(3_000);
    await reconciling;
    trustPublished();
    await answerMore(calls, 200);
    expect(replicas.map(({ served }) => served())).toEqual([3, 3]);

    clock.jumpWallClock(2 * DAY);
    await reconcileAll();
    trustPublished();
    await answerMore(calls, 200);
    expect(trustedIn(kube).split('BEGIN CERTIFICATE')).toHaveLength(2);
    expect(calls.failures).toEqual([]);
    expect(calls.serials.size).toBeGreaterThanOrEqual(3);
  });

  test('while the Secret is deleted or damaged, or the CA bundle is removed from the configurations', async () => {
    const [kube, clock] = [cluster(), clockAt()];
    const replicas = [await replica(kube, clock), await replica(kube, clock)];
    const calls = calling((await service(...replicas)).port, kube);
    const secret = `secrets/${config.podNamespace}/${config.secretName}`;
    const disruptions = [
      () => void kube.objects.delete(secret),
      () => kube.put(SECRETS, SECRET, { data: { 'tls.crt': 'AAAA' } }),
      () => kube.put(VALIDATING_WEBHOOKS, VALIDATING, { webhooks: [{ name: 'a', clientConfig: { service: {} } }] }),
    ];
    for (const disrupt of disruptions) {
      disrupt();
      for (const { rotation } of replicas) {
        const reconciling = rotation.reconcile();
        await clock.advance(3_000);
        calls.trust(trustedIn(kube));
        await clock.advance(3_000);
        await reconciling;
      }
      await answerMore(calls, 100);
    }
    expect(calls.failures).toEqual([]);
  });

  test('while the replicas are stopped and replaced one after the other', async () => {
    const [kube, clock] = [cluster(), clockAt()];
    let [one, other] = [await replica(kube, clock), await replica(kube, clock)];
    const balance = await service(one, other);
    const calls = calling(balance.port, kube);
    for (let round = 0; round < 4; round += 1) {
      await answerMore(calls, 100);
      /* As in a cluster: connections are drained and the Service is updated before the program exits. */
      one.server.drain();
      balance.ports = [other.port];
      await answerMore(calls, 100);
      await one.server.stop();
      await answerMore(calls, 50);
      [one, other] = [other, await replica(kube, clock)];
      balance.ports = [one.port, other.port];
    }
    expect(calls.failures).toEqual([]);
  });
});

describe('connections', () => {
  const raw = async (port: number, text: string) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await new Promise(resolve => socket.once('secureConnect', resolve));
    let seen = '';
    socket.on('data', piece => (seen += String(piece)));
    socket.on('error', () => undefined);
    socket.write(text);
    return { socket, seen: () => seen };
  };
  const TIMEOUTS = { headersMs: 300, requestMs: 600, checkIntervalMs: 100 };
  const head = (length: number) =>
    `POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

  test.each([
    ['with incomplete headers', 'POST /validate HTTP/1.1\r\nhost: localhost\r\n'],
    ['without a body', head(100)],
    ['with an incomplete body', `${head(100)}{"kind":`],
  ])('%s are closed with a 408 response', async (_title, text) => {
    const { port } = await replica(cluster(), clockAt(), TIMEOUTS);
    const { socket, seen } = await raw(port, text);
    await until(() => socket.closed || socket.readableEnded);
    expect(seen()).toContain('408 Request Timeout');
    socket.destroy();
  });

  test('aborted in the middle of a request do not affect others', async () => {
    const [kube, clock] = [cluster(), clockAt()];
    const { port } = await replica(kube, clock);
    const calls = calling(port, kube);
    for (let n = 0; n < 20; n += 1) {
      const { socket } = await raw(port, `${head(3_000_000)}{"kind":`);
      socket.destroy();
    }
    await answerMore(calls, 100);
    expect(calls.failures).toEqual([]);
  });

  test('are closed after the response by a draining replica', async () => {
    const { server, port } = await replica(cluster(), clockAt());
    server.drain();
    const { socket, seen } = await raw(port, 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await until(() => socket.readableEnded);
    expect(seen().toLowerCase()).toContain('connection: close');
  });
});
