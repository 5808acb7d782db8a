/** The real `Kube`: the verbs of the Kubernetes API as HTTPS requests. Retries nothing; that is the reconcilers' business. */
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
import { collectionPath, objectPath, query } from './path.js';
import { PODS } from './resources.js';
import { errorFromResponse } from './error-response.js';
import { type HttpRequest, type HttpReply, Transport } from './transport.js';

/** One request as the metrics see it. */
export interface RequestRecord {
  method: HttpRequest['method'];
  resource: string;
  /** 0: no answer came. */
  code: number;
  ms: number;
}

export interface KubeOptions {
  /** `name/version`; the API server takes the name as our field manager. */
  userAgent: string;
  onRequest?: (seen: RequestRecord) => void;
  /** Aborts every call. */
  signal?: AbortSignal;
  callTimeoutMs?: number;
  /** How much longer than agreed a watch may be silent. */
  watchMarginMs?: number;
}

export interface KubeClient extends Kube {
  /** The same client and connections; its calls also abort with this signal. So an old leader can do nothing more. */
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

interface Call extends Omit<HttpRequest, 'signals' | 'body'> {
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
    /* Each call under way listens; many at once are no leak. */
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

  async list<T extends Stored>(resource: Resource, options: ListOptions = {}): Promise<Page<T>> {
    const { namespace, labelSelector, fieldSelector, limit, resourceVersion } = options;
    const fields = { labelSelector, fieldSelector, limit, resourceVersion, continue: options.continue };
    const list = await this.#json<{ metadata: { resourceVersion: string; continue?: string }; items: T[] | null }>({
      method: 'GET',
      resource,
      path: collectionPath(resource, namespace) + query(fields),
    });
    /* Items of a list do not say what they are; single objects do. */
    const said = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    const items = (list.items ?? []).map(item => ({ ...said, ...item }));
    return { items, resourceVersion: list.metadata.resourceVersion, continue: list.metadata.continue || undefined };
  }

  async *watch<T extends Stored>(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const { namespace, ...fields } = options;
    const path = collectionPath(resource, namespace) + query({ watch: true, allowWatchBookmarks: true, ...fields });
    const silenceMs = options.timeoutSeconds * 1000 + (this.#options.watchMarginMs ?? WATCH_MARGIN_MS);
    const ask: HttpRequest = { method: 'GET', path, signals: [...this.#signals, signal] };
    const stream = await this.#seen(ask, resource, () => this.#transport.stream(ask, silenceMs));
    try {
      stream.body.setEncoding('utf8');
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
    const path = objectPath(resource, at, subresource) + query({ fieldManager, force });
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

  async #call({ resource, body, ...rest }: Call): Promise<HttpReply> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const ask: HttpRequest = { ...rest, body: text, signals: this.#signals };
    const reply = await this.#seen(ask, resource, () => this.#transport.call(ask));
    if (reply.code < 200 || reply.code > 299) throw errorFromResponse(reply, `${ask.method} ${ask.path}`);
    return reply;
  }

  async #seen<R extends { code: number }>(ask: HttpRequest, resource: Resource, send: () => Promise<R>): Promise<R> {
    const begun = performance.now();
    const tell = (code: number) =>
      this.#options.onRequest?.({
        method: ask.method,
        resource: resource.plural,
        code,
        ms: performance.now() - begun,
      });
    try {
      const reply = await send();
      tell(reply.code);
      return reply;
    } catch (error) {
      tell(0);
      throw error;
    }
  }
}

const apiVersionOf = ({ group, version }: Resource) => (group === '' ? version : `${group}/${version}`);

/** A client for that connection; one per program. `kubeconfig.ts` and `connection.ts` have the connections. */
export function createKube(connection: Connection, options: KubeOptions): KubeClient {
  const transport = new Transport(connection, options);
  return new HttpKube(transport, options, options.signal ? [options.signal] : []);
}
