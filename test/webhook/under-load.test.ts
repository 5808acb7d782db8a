/** Certificates, replicas and connections come and go while two hundred questions a second are asked; none goes unanswered. */
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
import { type ServerTimeouts, WebhookServer } from '../../webhook/server.js';
import { type FakeClock, fakeClock } from '../fakes/clock.js';
import { until } from '../kube/samples.js';
import { type Balancer, balancer, type Caller, caller } from './load.js';
import { TinyKube } from './tiny-kube.js';

jest.setTimeout(120_000); // real time passes here, on a machine that may be busy

const DAY = 86_400_000;
/** Connections check dates by the real time: what they meet must be valid now, whatever the stepped clock says. */
const clockAt = (fromNowMs = 0) => fakeClock(new Date(Date.now() + fromNowMs).toISOString());
const config = readConfig({ EXTRA_NAMES: 'localhost' }, []);
const SECRET = { name: config.secretName, namespace: config.podNamespace };
const VALIDATING = { name: config.validatingConfiguration };

interface Replica {
  keeper: CertificateRotation;
  server: WebhookServer;
  port: number;
  shown: () => number;
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

async function replica(kube: TinyKube, clock: FakeClock, patience?: ServerTimeouts): Promise<Replica> {
  const server = new WebhookServer(createApp({ health: new Health(), log: silentLog }), patience);
  let shown = 0;
  const show = (pair: Parameters<WebhookServer['setCertificate']>[0]) => {
    shown += 1;
    server.setCertificate(pair);
  };
  const keeper = createCertificateRotation(kube, config, { clock, log: silentLog, show });
  await keeper.reconcile();
  open.push({ stop: () => server.stop(0) });
  return { keeper, server, port: await server.listen(0, '127.0.0.1'), shown: () => shown };
}

/** What the API server trusts by now. */
function trustedIn(kube: TinyKube): string {
  const { webhooks } = kube.look(VALIDATING_WEBHOOKS, VALIDATING) as {
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

const more = async (calls: Caller, count: number) => {
  const goal = calls.answered() + count;
  await until(() => calls.answered() >= goal || calls.failures.length > 0);
};

describe('none of two hundred requests a second fails', () => {
  test('while the serving certificate is renewed, and the authority, and the one before is forgotten, on two replicas', async () => {
    const [kube, clock] = [cluster(), clockAt(-70 * DAY)];
    /* Due for renewal yesterday: after the serving certificate, which has been due for nine days. */
    const authority = issueAuthority(new Date(Date.now() - 2433 * DAY));
    const serving = issueServing(authority, dnsNames(config), clock.now());
    await new SecretStore(kube, SECRET).save({ authority, serving }, undefined);
    const replicas = [await replica(kube, clock), await replica(kube, clock)];
    const calls = calling((await service(...replicas)).port, kube);
    await more(calls, 200);
    const look = () => Promise.all(replicas.map(({ keeper }) => keeper.reconcile()));
    const heard = () => calls.trust(trustedIn(kube));

    clock.jumpWallClock(61 * DAY);
    await look();
    heard();
    await more(calls, 200);
    expect(replicas.map(({ shown }) => shown())).toEqual([2, 2]);

    clock.jumpWallClock(9.5 * DAY);
    const looking = look();
    await clock.advance(3_000);
    expect(trustedIn(kube).split('BEGIN CERTIFICATE')).toHaveLength(3);
    await more(calls, 100);
    heard();
    await clock.advance(3_000);
    await looking;
    heard();
    await more(calls, 200);
    expect(replicas.map(({ shown }) => shown())).toEqual([3, 3]);

    clock.jumpWallClock(2 * DAY);
    await look();
    heard();
    await more(calls, 200);
    expect(trustedIn(kube).split('BEGIN CERTIFICATE')).toHaveLength(2);
    expect(calls.failures).toEqual([]);
    expect(calls.serials.size).toBeGreaterThanOrEqual(3);
  });

  test('while the Secret is deleted, damaged, and the authority taken out of the configurations', async () => {
    const [kube, clock] = [cluster(), clockAt()];
    const replicas = [await replica(kube, clock), await replica(kube, clock)];
    const calls = calling((await service(...replicas)).port, kube);
    const secret = `secrets/${config.podNamespace}/${config.secretName}`;
    const spoil = [
      () => void kube.objects.delete(secret),
      () => kube.put(SECRETS, SECRET, { data: { 'tls.crt': 'AAAA' } }),
      () => kube.put(VALIDATING_WEBHOOKS, VALIDATING, { webhooks: [{ name: 'a', clientConfig: { service: {} } }] }),
    ];
    for (const harm of spoil) {
      harm();
      for (const { keeper } of replicas) {
        const looking = keeper.reconcile();
        await clock.advance(3_000);
        calls.trust(trustedIn(kube));
        await clock.advance(3_000);
        await looking;
      }
      await more(calls, 100);
    }
    expect(calls.failures).toEqual([]);
  });

  test('while one replica after the other is stopped and replaced', async () => {
    const [kube, clock] = [cluster(), clockAt()];
    let [one, other] = [await replica(kube, clock), await replica(kube, clock)];
    const balance = await service(one, other);
    const calls = calling(balance.port, kube);
    for (let round = 0; round < 4; round += 1) {
      await more(calls, 100);
      /* As in a cluster: the Service hears of it, connections are handed back, and only then the program ends. */
      one.server.drain();
      balance.ports = [other.port];
      await more(calls, 100);
      await one.server.stop();
      await more(calls, 50);
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
  const PATIENCE = { headersMs: 300, requestMs: 600, lookMs: 100 };
  const head = (length: number) =>
    `POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

  test.each([
    ['whose headers do not end', 'POST /validate HTTP/1.1\r\nhost: localhost\r\n'],
    ['whose body does not come', head(100)],
    ['whose body stops in the middle', `${head(100)}{"kind":`],
  ])('%s are closed with a word on why', async (_sentence, text) => {
    const { port } = await replica(cluster(), clockAt(), PATIENCE);
    const { socket, seen } = await raw(port, text);
    await until(() => socket.closed || socket.readableEnded);
    expect(seen()).toContain('408 Request Timeout');
    socket.destroy();
  });

  test('that are cut in the middle do no harm to others', async () => {
    const [kube, clock] = [cluster(), clockAt()];
    const { port } = await replica(kube, clock);
    const calls = calling(port, kube);
    for (let n = 0; n < 20; n += 1) {
      const { socket } = await raw(port, `${head(3_000_000)}{"kind":`);
      socket.destroy();
    }
    await more(calls, 100);
    expect(calls.failures).toEqual([]);
  });

  test('are handed back by a replica that leaves', async () => {
    const { server, port } = await replica(cluster(), clockAt());
    server.drain();
    const { socket, seen } = await raw(port, 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await until(() => socket.readableEnded);
    expect(seen().toLowerCase()).toContain('connection: close');
  });
});
