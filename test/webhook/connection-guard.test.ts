import { connect as connectRaw, type Socket } from 'node:net';
import { Agent, request } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { issueAll } from '../../certs/issue.js';
import { connectionToClose } from '../../program/connection-guard.js';
import { type ServerOptions, WebhookServer } from '../../webhook/server.js';
import { until } from '../kube/samples.js';

jest.setTimeout(120_000); // opens hundreds of connections, on a machine that may be busy

type Connection = Parameters<typeof connectionToClose>[0][number];
const at = (address: string, more: Partial<Connection> = {}): Connection => ({
  socket: { name: address } as unknown as Connection['socket'],
  address,
  isAnswered: false,
  isBusy: false,
  ...more,
});
const answered = { isAnswered: true };

describe('the connection that is closed for a new one', () => {
  const [apiServer, idle, busy] = [at('api', answered), at('api', answered), at('api', { ...answered, isBusy: true })];
  const first = at('pod');
  const shaking = at('api');
  test.each<[string, Connection[], Connection | undefined]>([
    ['is the oldest silent one', [apiServer, first, at('pod')], first],
    ['is of the address with most silent ones', [at('other'), first, at('pod')], first],
    [
      'is not of an address that had an answer while another one is silent',
      [apiServer, shaking, at('api'), first],
      first,
    ],
    ['is a silent one of an address that had an answer rather than an idle one', [apiServer, shaking], shaking],
    ['is the longest idle one of the address with most of them', [at('pod', answered), apiServer, idle], apiServer],
    ['is none while all are busy', [busy, at('pod', { isAnswered: true, isBusy: true })], undefined],
    ['is none without connections', [], undefined],
  ])('%s', (_title, connections, expected) => expect(connectionToClose(connections)).toBe(expected));
});

describe('the webhook', () => {
  const { serving, authority } = issueAll(['localhost'], new Date());
  const servers: WebhookServer[] = [];
  const sockets: Socket[] = [];
  const agents: Agent[] = [];
  afterEach(async () => {
    for (const agent of agents.splice(0)) agent.destroy();
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) await server.stop(0);
  });

  async function started(options: ServerOptions = {}): Promise<number> {
    const server = new WebhookServer((_request, response) => response.end('well'), options);
    servers.push(server);
    server.setCertificate(serving);
    return await server.listen(0, '127.0.0.1');
  }

  /** Its own address stands for another host. */
  function silent(port: number, count: number, localAddress = '127.0.0.2'): Socket[] {
    const opened = Array.from({ length: count }, () => connectRaw({ port, host: '127.0.0.1', localAddress }));
    for (const socket of opened) socket.on('error', () => undefined).resume();
    sockets.push(...opened);
    return opened;
  }

  const keepAlive = () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: authority.certificate, servername: 'localhost' });
    agents.push(agent);
    return agent;
  };

  /** The local port of the connection that got the answer. */
  const ask = (port: number, agent: Agent) =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, agent }, response => {
        const { localPort } = response.socket;
        response.resume().on('end', () => resolve(localPort));
      });
      sent.on('error', reject).end();
    });

  test('answers the API server although five addresses open 1,000 silent connections, and keeps its connection', async () => {
    const port = await started();
    const agent = keepAlive();
    const before = await ask(port, agent);
    const opened = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6'].flatMap(address =>
      silent(port, 200, address),
    );
    await until(() => opened.filter(socket => socket.destroyed).length >= 500);
    expect(await ask(port, agent)).toBe(before);
    expect(await ask(port, keepAlive())).not.toBe(before);
  });

  test('answers a new connection from the address that holds 500 silent ones', async () => {
    const port = await started();
    const opened = silent(port, 500, '127.0.0.1');
    await until(() => opened.filter(socket => socket.destroyed).length >= 250);
    await expect(ask(port, keepAlive())).resolves.toBeDefined();
  });

  test('leaves an address its share and no more', async () => {
    const port = await started({ limits: { total: 20, perAddress: 5 } });
    const agent = keepAlive();
    const before = await ask(port, agent);
    const opened = silent(port, 30);
    await until(() => opened.filter(socket => socket.destroyed).length === 25);
    expect(await ask(port, agent)).toBe(before);
  });

  test('closes a connection that does not complete its handshake, or sends no request after it', async () => {
    const port = await started({ handshakeMs: 200, headersMs: 200, checkIntervalMs: 50 });
    const [raw] = silent(port, 1);
    const tls = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    tls.on('error', () => undefined).resume();
    sockets.push(tls);
    await until(() => raw?.destroyed === true && tls.destroyed);
    expect(tls.destroyed).toBe(true);
  });
});
