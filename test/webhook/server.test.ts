import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { issueAll } from '../../certs/issue.js';
import { WebhookServer } from '../../webhook/server.js';
import { until } from '../kube/samples.js';

describe('the HTTPS server', () => {
  const running: WebhookServer[] = [];
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop(0);
  });

  async function serving(answer = (respond: () => void) => respond()) {
    const server = new WebhookServer((_request, response) => answer(() => response.end('well')));
    running.push(server);
    return { server, port: await server.listen(0, '127.0.0.1') };
  }

  const serialSeen = (port: number, ca: string) =>
    new Promise<string>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, servername: 'localhost', ca, agent: false }, response => {
        const socket = response.socket as TLSSocket;
        resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
        response.resume();
      });
      sent.on('error', reject).end();
    });

  test('uses a new certificate from the next handshake on, without a restart', async () => {
    const old = issueAll(['localhost'], new Date());
    const next = issueAll(['localhost'], new Date());
    const { server, port } = await serving();
    server.setCertificate(old.serving);
    const before = await serialSeen(port, old.authority.certificate);
    server.setCertificate(next.serving);
    const after = await serialSeen(port, next.authority.certificate);
    expect(before).toMatch(/^[0-9A-F]{32}$/);
    expect(after).not.toBe(before);
  });

  test('rejects handshakes before it has a certificate', async () => {
    const { port } = await serving();
    await expect(serialSeen(port, '')).rejects.toThrow(/handshake|socket/);
  });

  test('waits for open requests before it closes', async () => {
    const { serving: pair, authority } = issueAll(['localhost'], new Date());
    const open: (() => void)[] = [];
    const { server, port } = await serving(respond => void open.push(respond));
    server.setCertificate(pair);
    const answered = serialSeen(port, authority.certificate);
    await until(() => open.length > 0);
    running.length = 0;
    const stopping = server.stop(5_000);
    for (const respond of open) respond();
    expect(await answered).toMatch(/^[0-9A-F]{32}$/);
    await stopping;
  });
});
