/** The `Kube` that talks to an API server over HTTPS. It does not retry; reconcilers do. */
import { setMaxListeners } from 'node:events';
import type { Connection } from './connection.js';
import type {
  DeleteOptions,
  Eviction,
  Kube,
  ListOptions,
  Name,
  Page,
  PatchOptions,
  PatchType,
  Resource,
  Stored,
  WatchEvent,
  WatchOptions,
} from './kube.js';
import { splitLines } from './line-stream.js';
import { ListReader } from './list-reader.js';
import { collectionPath, objectPath, query } from './url-path.js';
import { JOBS, LEASES, PODS } from './resources.js';
import type { ServerTime } from './server-clock.js';
import { errorFromResponse } from './error-response.js';
import { type HttpRequest, type HttpResponse, type PoolName, Transport } from './transport.js';

/** One finished request, for metrics. */
export interface RequestRecord {
  method: HttpRequest['method'];
  resource: string;
  /** HTTP status code; 0 when no response arrived. */
  code: number;
  ms: number;
}

export interface KubeOptions {
  /** `name/version`; the API server records the name as the field manager of writes. */
  userAgent: string;
  onRequest?: (request: RequestRecord) => void;
  /** Called with the time of the API server, which is in each of its responses. */
  onServerTime?: (time: ServerTime) => void;
  /** Aborts every call of this client. */
  signal?: AbortSignal;
  callTimeoutMs?: number;
  /** Milliseconds beyond the requested watch timeout after which a watch without data is aborted. */
  watchMarginMs?: number;
}

export interface KubeClient extends Kube {
  /** The same client and connections; calls also abort with this signal. A replica that lost leadership can thus write nothing more. */
  with(signal: AbortSignal): KubeClient;
  close(): void;
}

const CONTENT_TYPES: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

const WATCH_MARGIN_MS = 15_000;

interface Call extends Omit<HttpRequest, 'signals' | 'body' | 'pool'> {
  resource: Resource;
  body?: unknown;
}

class HttpKube implements KubeClient {
  readonly #transport: Transport;
  readonly #options: KubeOptions;
  readonly #signals: readonly AbortSignal[];

  constructor(transport: Transport, options: KubeOptions, signals: readonly AbortSignal[]) {
    this.#transport = transport;
    this.#options = options;
    this.#signals = signals;
    /* Each pending call adds a listener; many concurrent calls are no leak. */
    setMaxListeners(0, ...signals);
  }

  with(signal: AbortSignal): KubeClient {
    return new HttpKube(this.#transport, this.#options, [...this.#signals, signal]);
  }

  close(): void {
    this.#transport.close();
  }

  get<T extends Stored>(resource: Resource, at: Name): Promise<T> {
    return this.#json<T>({ method: 'GET', resource, path: objectPath(resource, at) });
  }

  async list<T extends Stored>(resource: Resource, options: ListOptions<T> = {}): Promise<Page<T>> {
    const { namespace, labelSelector, fieldSelector, limit, resourceVersion } = options;
    const fields = { labelSelector, fieldSelector, limit, resourceVersion, continue: options.continue };
    const reduce = options.reduce ?? (object => object);
    /* The API server omits apiVersion and kind from the items of a list. */
    const typeMeta = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    const items: T[] = [];
    const reader = new ListReader(item => items.push(reduce({ ...typeMeta, ...(item as T) })));
    const path = collectionPath(resource, namespace) + query(fields);
    await this.#call({ method: 'GET', resource, path, onChunk: chunk => reader.push(chunk) });
    const { metadata = {} } = reader.end();
    const next = metadata.continue || undefined;
    return { items, resourceVersion: metadata.resourceVersion ?? '', continue: next, bytes: reader.bytes };
  }

  async *watch<T extends Stored>(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const { namespace, ...fields } = options;
    const path = collectionPath(resource, namespace) + query({ watch: true, allowWatchBookmarks: true, ...fields });
    const idleMs = options.timeoutSeconds * 1000 + (this.#options.watchMarginMs ?? WATCH_MARGIN_MS);
    const request: HttpRequest = { method: 'GET', path, signals: [...this.#signals, signal] };
    const stream = await this.#recorded(request, resource, () => this.#transport.stream(request, idleMs));
    try {
      if (stream.code !== 200) {
        let text = '';
        for await (const piece of stream.body) text += String(piece);
        throw errorFromResponse(
          { code: stream.code, retryAfter: stream.body.headers['retry-after'], text },
          `watch ${path}`,
        );
      }
      for await (const line of splitLines(stream.body)) yield JSON.parse(line) as WatchEvent<T>;
    } catch (error) {
      throw stream.cause() ?? error;
    } finally {
      stream.release();
    }
  }

  create<T extends Stored>(resource: Resource, body: object, namespace?: string): Promise<T> {
    return this.#json<T>({ method: 'POST', resource, path: collectionPath(resource, namespace), body });
  }

  async dryRun(resource: Resource, body: object, namespace?: string): Promise<void> {
    const path = collectionPath(resource, namespace) + query({ dryRun: 'All' });
    await this.#json({ method: 'POST', resource, path, body });
  }

  patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options: PatchOptions = {}): Promise<T> {
    const { type = 'merge', subresource, fieldManager, force } = options;
    const dryRun = options.dryRun === true ? 'All' : undefined;
    const path = objectPath(resource, at, subresource) + query({ fieldManager, force, dryRun });
    return this.#json<T>({ method: 'PATCH', resource, path, body, contentType: CONTENT_TYPES[type] });
  }

  replace<T extends Stored>(resource: Resource, at: Name, body: T, subresource?: 'status'): Promise<T> {
    return this.#json<T>({ method: 'PUT', resource, path: objectPath(resource, at, subresource), body });
  }

  async delete(resource: Resource, at: Name, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagation, gracePeriodSeconds } = options;
    const preconditions = { uid, resourceVersion };
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions, gracePeriodSeconds };
    await this.#call({
      method: 'DELETE',
      resource,
      path: objectPath(resource, at),
      body: { ...body, propagationPolicy: propagation },
    });
  }

  async evict(at: Name, { uid, gracePeriodSeconds }: Eviction): Promise<void> {
    await this.#call({
      method: 'POST',
      resource: PODS,
      path: objectPath(PODS, at, 'eviction'),
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: at.name, namespace: at.namespace },
        deleteOptions: { preconditions: { uid }, gracePeriodSeconds },
      },
    });
  }

  async #json<T>(call: Call): Promise<T> {
    return JSON.parse((await this.#call(call)).text) as T;
  }

  async #call({ resource, body, ...rest }: Call): Promise<HttpResponse> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request: HttpRequest = { ...rest, body: text, pool: poolOf(rest, resource), signals: this.#signals };
    const reply = await this.#recorded(request, resource, () => this.#transport.call(request));
    if (reply.code < 200 || reply.code > 299) throw errorFromResponse(reply, `${request.method} ${request.path}`);
    return reply;
  }

  async #recorded<R extends { code: number }>(
    request: HttpRequest,
    resource: Resource,
    send: () => Promise<R>,
  ): Promise<R> {
    const start = performance.now();
    const record = (code: number) =>
      this.#options.onRequest?.({
        method: request.method,
        resource: resource.plural,
        code,
        ms: performance.now() - start,
      });
    try {
      const reply = await send();
      record(reply.code);
      return reply;
    } catch (error) {
      record(0);
      throw error;
    }
  }
}

/**
 * A lease that is not renewed in time ends the leader, whatever else the API server is busy with. Writes to workloads pass the admission
 * webhooks of others, of which a dead one holds every call for up to 30 s.
 */
export function poolOf({ method }: Pick<HttpRequest, 'method'>, { plural }: Resource): PoolName {
  if (plural === LEASES.plural) return 'urgent';
  return method !== 'GET' && (plural === PODS.plural || plural === JOBS.plural) ? 'slow' : 'calls';
}

const apiVersionOf = ({ group, version }: Resource) => (group === '' ? version : `${group}/${version}`);

/** Creates a client for a connection (`connection.ts`, `kubeconfig.ts`); a program needs one. Close it to release its sockets. */
export function createKube(connection: Connection, options: KubeOptions): KubeClient {
  const transport = new Transport(connection, options);
  return new HttpKube(transport, options, options.signal ? [options.signal] : []);
}
