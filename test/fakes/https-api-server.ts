/** An API server over real HTTPS, for tests of the client and its connections; requests and watches can be made to fail. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Connection } from '../../kube/connection.js';
import {
  ObjectStore,
  type StoreEvent,
  type StoredObject,
  type ResourcePath,
  failureResponse,
  type ApiResponse,
} from './object-store.js';
import { selfSigned } from './certificate.js';

/** What happens to a request instead of, or before, its response. */
export type Fault =
  | { status: number; retryAfter?: number; reason?: string }
  | 'reset'
  | 'noResponse'
  /** The request is performed, and the connection is reset before the response. */
  | 'resetAfterHandling'
  | { delayMs: number };

interface Watch {
  place: ResourcePath;
  query: URLSearchParams;
  response: ServerResponse;
}

export interface RecordedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: unknown;
}

const certificate = selfSigned();

export class HttpsApiServer {
  readonly store = new ObjectStore();
  readonly requests: RecordedRequest[] = [];
  /** TCP connections accepted so far. */
  connections = 0;
  /** Sends no watch events and keeps the watches open. */
  suppressesEvents = false;
  readonly #faults: { when: (recorded: RecordedRequest) => boolean; fault: Fault; left: number }[] = [];
  readonly #watches = new Set<Watch>();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    this.#handle(request, response).catch(() => response.destroy());
  });

  static async start(): Promise<HttpsApiServer> {
    const server = new HttpsApiServer();
    server.#server.on('secureConnection', socket => {
      server.connections += 1;
      server.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => server.#sockets.delete(socket));
    });
    server.store.onEvent((collection, event) => server.#publish(collection, event));
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  get ca(): string {
    return certificate.cert;
  }

  /** The connection that a client uses for this server. */
  connection(): Connection {
    const credentials = { ca: certificate.cert, authorization: 'Bearer secret' };
    return { server: `https://127.0.0.1:${this.port}`, credentials: () => Promise.resolve(credentials) };
  }

  /** Injects this fault into the next `times` requests that match. */
  injectFault(fault: Fault, times = 1, when: (recorded: RecordedRequest) => boolean = () => true): void {
    this.#faults.push({ when, fault, left: times });
  }

  /** Ends all injected faults. */
  clearFaults(): void {
    this.#faults.length = 0;
    this.suppressesEvents = false;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  requestsTo(method: string, part = ''): RecordedRequest[] {
    return this.requests.filter(one => one.method === method && one.path.includes(part));
  }

  resetWatches(): void {
    for (const { response } of this.#watches) response.socket?.destroy();
  }

  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  /** Sends every watch an error event that its resource version is too old. */
  expireWatches(): void {
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    for (const watch of this.#watches) {
      sendWatchEvent(watch, { type: 'ERROR', object: status });
      watch.response.end();
    }
  }

  sendBookmarks(): void {
    const object = { metadata: { resourceVersion: String(this.store.version) } };
    for (const watch of this.#watches) sendWatchEvent(watch, { type: 'BOOKMARK', object });
  }

  /** Resets every open connection, including idle ones. */
  resetConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.resetConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://fake');
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const recorded: RecordedRequest = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    this.requests.push(recorded);
    const met = this.#faults.find(one => one.left > 0 && one.when(recorded));
    if (met) met.left -= 1;
    const fault = met?.fault;
    if (fault === 'reset') return void request.socket.destroy();
    if (fault === 'noResponse') return;
    if (typeof fault === 'object' && 'status' in fault) {
      const header: Record<string, string> =
        fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
      return write(response, failureResponse(fault.status, fault.reason ?? 'Fault', 'injected fault'), header);
    }
    if (typeof fault === 'object') await new Promise(resolve => setTimeout(resolve, fault.delayMs));
    const verdict = this.#answer(recorded, response);
    if (fault === 'resetAfterHandling') return void request.socket.destroy();
    if (verdict) write(response, verdict);
  }

  #answer(recorded: RecordedRequest, response: ServerResponse): ApiResponse | undefined {
    const place = parsePath(recorded.path);
    const body: Record<string, unknown> =
      typeof recorded.body === 'object' && recorded.body !== null ? { ...recorded.body } : {};
    switch (recorded.method) {
      case 'GET':
        if (place.name !== undefined) return this.#get(place);
        return recorded.query.has('watch')
          ? this.#watch(place, recorded.query, response)
          : this.#list(place, recorded.query);
      case 'POST':
        if (place.subresource === 'eviction') return this.store.delete(place, preconditionsOf(body.deleteOptions));
        return this.store.create(place, body);
      case 'PUT':
        return this.store.replace(place, body);
      case 'PATCH':
        return this.store.patch(place, recorded.body, recorded.headers['content-type'] ?? '');
      default:
        return this.store.delete(place, preconditionsOf(body));
    }
  }

  #get(place: ResourcePath): ApiResponse {
    if (place.subresource === 'log') return { code: 200, body: 'first line\nlast line\n' };
    const object = this.store.get(place);
    return object ? { code: 200, body: object } : failureResponse(404, 'NotFound', `${place.name} not found`);
  }

  #list(place: ResourcePath, query: URLSearchParams): ApiResponse {
    const matching = this.store.all(place).filter(object => selects(query, object));
    const [from, version] = (query.get('continue') ?? `0:${this.store.version}`).split(':');
    const start = Number(from);
    const end = query.has('limit') ? start + Number(query.get('limit')) : matching.length;
    const more = end < matching.length ? `${end}:${version}` : undefined;
    const items = matching.slice(start, end).map(({ kind: _kind, apiVersion: _version, ...item }) => item);
    return { code: 200, body: { kind: 'List', metadata: { resourceVersion: version, continue: more }, items } };
  }

  #watch(place: ResourcePath, query: URLSearchParams, response: ServerResponse): ApiResponse | undefined {
    const from = Number(query.get('resourceVersion') ?? 0);
    if (from < this.store.oldestVersion) return failureResponse(410, 'Expired', 'too old resource version');
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    const watch = { place, query, response };
    for (const event of this.store.history(place.collection)) if (event.version > from) sendStoreEvent(watch, event);
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    setTimeout(
      () => !this.suppressesEvents && response.end(),
      Number(query.get('timeoutSeconds') ?? 60) * 1000,
    ).unref();
    return undefined;
  }

  #publish(collection: string, event: StoreEvent): void {
    if (this.suppressesEvents) return;
    for (const watch of this.#watches) if (watch.place.collection === collection) sendStoreEvent(watch, event);
  }
}

const sendWatchEvent = ({ response }: Watch, event: object) => response.write(`${JSON.stringify(event)}\n`);

function sendStoreEvent(watch: Watch, { type, object }: StoreEvent): void {
  const { namespace } = watch.place;
  if (namespace !== undefined && object.metadata.namespace !== namespace) return;
  if (selects(watch.query, object)) sendWatchEvent(watch, { type, object });
}

function write(response: ServerResponse, { code, body }: ApiResponse, headers: Record<string, string> = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(text);
}

/** Supports equality of labels, and the fields `metadata.name` and `metadata.namespace`. */
function selects(query: URLSearchParams, object: StoredObject): boolean {
  const pairs = (text: string | null) => (text ? text.split(',').map(pair => pair.split(/==?/)) : []);
  const { labels = {}, name, namespace } = object.metadata;
  const fields: Record<string, unknown> = { 'metadata.name': name, 'metadata.namespace': namespace };
  return (
    pairs(query.get('labelSelector')).every(([label = '', value]) => labels[label] === value) &&
    pairs(query.get('fieldSelector')).every(([field = '', value]) => fields[field] === value)
  );
}

function preconditionsOf(options: unknown): { uid?: string; resourceVersion?: string } {
  if (typeof options !== 'object' || options === null || !('preconditions' in options)) return {};
  return { ...(options.preconditions as { uid?: string; resourceVersion?: string }) };
}

/** `/api/v1/…` and `/apis/group/version/…`. */
function parsePath(path: string): ResourcePath {
  const parts = path.split('/').slice(1).map(decodeURIComponent);
  const root = parts.splice(0, parts[0] === 'api' ? 2 : 3).slice(1);
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts.splice(0, 2)[1] : undefined;
  const [plural = '', name, subresource] = parts;
  return { collection: [...root, plural].join('/'), namespace, name, subresource };
}
