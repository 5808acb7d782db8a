/** An API server whose lists are larger than the heap of any program: objects are made while they are sent, in pages, as asked for. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { selfSigned } from './certificate.js';

/** Objects of one resource type, by the end of their path. */
export interface LargeList {
  count: number;
  /** JSON text of the object with this number and resource version. */
  object: (index: number, version: number) => string;
  /** How many of them are sent once more as changes when a watch begins. */
  changes?: number;
}

export interface LargeObjectsServer {
  port: number;
  ca: string;
  close: () => Promise<void>;
}

const VERSION = 1_000_000;

/** Waits until the client has taken what was sent, so that this process does not keep it. */
async function send(response: ServerResponse, text: string): Promise<void> {
  if (!response.write(text)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
}

async function sendPage(response: ServerResponse, { count, object }: LargeList, query: URLSearchParams): Promise<void> {
  const from = Number(query.get('continue') ?? 0);
  const to = Math.min(count, from + Number(query.get('limit') ?? count));
  const next = to < count ? `,"continue":"${to}"` : '';
  await send(response, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"${VERSION}"${next}},"items":[`);
  for (let index = from; index < to && !response.closed; index += 1)
    await send(response, `${index === from ? '' : ','}${object(index, index + 1)}`);
  response.end(']}\n');
}

/** The watch stays open. */
async function sendChanges(response: ServerResponse, { changes = 0, object }: LargeList): Promise<void> {
  response.flushHeaders();
  for (let index = 0; index < changes && !response.closed; index += 1)
    await send(response, `{"type":"MODIFIED","object":${object(index, VERSION + index + 1)}}\n`);
}

const EMPTY: LargeList = { count: 0, object: () => '' };

export async function startLargeObjectsServer(lists: Readonly<Record<string, LargeList>>): Promise<LargeObjectsServer> {
  const { key, cert } = selfSigned();
  const server: Server = createServer({ key, cert }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://localhost');
    const plural = pathname.slice(pathname.lastIndexOf('/') + 1);
    const list = lists[plural] ?? EMPTY;
    response.setHeader('content-type', 'application/json');
    void (searchParams.has('watch') ? sendChanges(response, list) : sendPage(response, list, searchParams));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, ca: cert, close };
}
