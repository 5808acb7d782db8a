import { createServer, request, type ClientRequest, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Health } from '../../program/health.js';
import { silentLog } from '../../program/log.js';
import { createApp } from '../../webhook/app.js';
import { review } from './reviews.js';

let server: Server;
let port = 0;
const open: ClientRequest[] = [];

beforeEach(async () => {
  server = createServer(createApp({ health: new Health(), log: silentLog }));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address ? address.port : 0;
});
afterEach(async () => {
  for (const one of open.splice(0)) one.destroy();
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
});

/** Starts to send a body of this length. */
function send(length: number, localAddress = '127.0.0.1') {
  const headers = { 'content-type': 'application/json', 'content-length': String(length) };
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/validate',
    method: 'POST',
    headers,
    localAddress,
    agent: false,
  });
  open.push(sent);
  const code = new Promise<number>(resolve => {
    sent.on('response', response => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', () => resolve(0));
  });
  return { sent, code };
}

function post(bytes: number, localAddress?: string): Promise<number> {
  const body = JSON.stringify(review()).padEnd(bytes);
  const { sent, code } = send(Buffer.byteLength(body), localAddress);
  sent.end(body);
  return code;
}

/** Three of the largest bodies from one address, and one from another, of which only the beginning arrives. */
async function holdAll(): Promise<void> {
  for (const address of ['127.0.0.2', '127.0.0.2', '127.0.0.2', '127.0.0.3']) send(4_000_000, address).sent.write('{');
  await sleep(300);
}

test('a typical review is answered while other clients hold the memory for large ones', async () => {
  await holdAll();
  expect(await post(2_000)).toBe(200);
  expect(await post(30_000)).toBe(200);
});

test('a large review is answered as soon as the bodies that hold the memory are slow', async () => {
  await holdAll();
  await sleep(1_000);
  expect(await post(3_000_000)).toBe(200);
});

test('one client cannot hold the memory for all large reviews', async () => {
  for (let n = 0; n < 8; n += 1) send(4_000_000, '127.0.0.2').sent.write('{');
  await sleep(300);
  expect(await post(3_000_000)).toBe(200);
});
