/** HTTPS requests to the API server over keep-alive connections in separate pools, with tokens and timeouts. Contains nothing specific to Kubernetes. */
import { setMaxListeners } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Connection } from './connection.js';
import type { ServerTime } from './server-clock.js';

/**
 * Calls of one pool never queue behind those of another one. `slow` is for calls that others may hold up, such as admission webhooks,
 * `urgent` for the few that must not wait at all.
 */
export type PoolName = 'calls' | 'slow' | 'urgent';

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  path: string;
  body?: string;
  contentType?: string;
  /** `calls` when absent. */
  pool?: PoolName;
  /** Each of them aborts the request. */
  signals: readonly AbortSignal[];
  /** Takes the body of a successful response as it arrives; `text` is then empty. */
  onChunk?: (chunk: Buffer) => void;
}

export interface HttpResponse {
  code: number;
  retryAfter?: string;
  text: string;
}

/** A response whose body is still arriving. Call `release` when it is no longer read. */
export interface ResponseStream {
  code: number;
  body: IncomingMessage;
  /** Why this side aborted the request, if it did. */
  cause(): Error | undefined;
  release(): void;
}

export interface TransportOptions {
  userAgent: string;
  /** Called with the time of the server, which is in each of its responses. */
  onServerTime?: (time: ServerTime) => void;
  callTimeoutMs?: number;
}

/** Counts from when the request has a connection. */
export const CALL_TIMEOUT_MS = 30_000;
/** Shorter than the API server's idle timeout (90 s), so that no request is written to a connection that the server is closing. */
const IDLE_MS = 30_000;
/** Interval of TCP keep-alive probes, which detect a peer that disappeared without closing the connection. */
const KEEP_ALIVE_PROBE_MS = 15_000;

/** The pool for urgent calls has no limit, because a limit is what makes calls queue. */
export const MAX_SOCKETS: Record<PoolName, number> = { calls: 16, slow: 16, urgent: Infinity };

/** Connections are reused last in, first out, so that surplus ones become idle and close. */
const pool = (maxSockets = Infinity): Agent =>
  new Agent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_PROBE_MS, maxSockets, timeout: IDLE_MS });

export class Transport {
  readonly #connection: Connection;
  readonly #userAgent: string;
  readonly #onServerTime: (time: ServerTime) => void;
  readonly #timeoutMs: number;
  readonly #pools: Record<PoolName, Agent> = {
    calls: pool(MAX_SOCKETS.calls),
    slow: pool(MAX_SOCKETS.slow),
    urgent: pool(MAX_SOCKETS.urgent),
  };
  /** A watch occupies its connection for minutes, so watches have their own connections and never queue behind calls. */
  readonly #watches = pool();
  readonly #closed = new AbortController();

  constructor(connection: Connection, options: TransportOptions) {
    this.#connection = connection;
    this.#userAgent = options.userAgent;
    this.#onServerTime = options.onServerTime ?? (() => undefined);
    this.#timeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
    /* Each pending request adds a listener; many concurrent requests are no leak. */
    setMaxListeners(0, this.#closed.signal);
  }

  /** Sends a request and reads the whole response, whatever its status code. */
  async call(request: HttpRequest): Promise<HttpResponse> {
    const open = async () => {
      const guard = new RequestGuard([...request.signals, this.#closed.signal], this.#timeoutMs);
      try {
        const response = await this.#open(request, this.#pools[request.pool ?? 'calls'], guard);
        const retryAfter = response.headers['retry-after'];
        const { statusCode = 0 } = response;
        const text = await readBody(response, statusCode === 200 ? request.onChunk : undefined);
        return { code: statusCode, retryAfter, text };
      } catch (error) {
        throw guard.cause ?? error;
      } finally {
        guard.release();
      }
    };
    return retryStaleRead(request, open);
  }

  /** Sends a request and returns the body as a stream, which is aborted after `idleMs` without data. */
  async stream(request: HttpRequest, idleMs: number): Promise<ResponseStream> {
    const open = async () => {
      const guard = new RequestGuard([...request.signals, this.#closed.signal], this.#timeoutMs);
      try {
        const body = await this.#open(request, this.#watches, guard);
        guard.limitIdleTime(idleMs, body);
        return {
          code: body.statusCode ?? 0,
          body,
          cause: () => guard.cause,
          release: () => {
            guard.release();
            if (!body.complete) body.destroy();
          },
        };
      } catch (error) {
        guard.release();
        throw guard.cause ?? error;
      }
    };
    return retryStaleRead(request, open);
  }

  /** Not of a gateway error: a load balancer in front of the API server answers by its own clock. */
  #reportServerTime({ statusCode = 0, headers }: IncomingMessage, sentAt: number): void {
    if (headers.date === undefined || statusCode >= 500) return;
    this.#onServerTime({ date: new Date(headers.date), sentAt, receivedAt: performance.now() });
  }

  /** Closes all connections. Pending requests fail, also those that still wait for a connection. */
  close(): void {
    this.#closed.abort(new Error('the client was closed'));
    for (const agent of [...Object.values(this.#pools), this.#watches]) agent.destroy();
  }

  async #open(
    { method, path, body, contentType }: HttpRequest,
    agent: Agent,
    guard: RequestGuard,
  ): Promise<IncomingMessage> {
    const { authorization, ...tls } = await this.#connection.credentials();
    guard.throwIfAborted();
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': this.#userAgent };
    if (authorization !== undefined) headers.authorization = authorization;
    if (body !== undefined) {
      headers['content-type'] = contentType ?? 'application/json';
      headers['content-length'] = String(Buffer.byteLength(body));
    }
    const url = new URL(this.#connection.server + path);
    const sentAt = performance.now();
    return new Promise((resolve, reject) => {
      const request = httpsRequest(url, { method, headers, agent, ...tls });
      guard.attach(request);
      request.once('response', response => {
        this.#reportServerTime(response, sentAt);
        resolve(response);
      });
      request.on('error', error => reject(request.reusedSocket ? new StaleConnection(error) : error));
      request.end(body);
    });
  }
}

/** A reused connection failed: most likely the server closed it while it was idle. */
class StaleConnection extends Error {
  readonly code: unknown;
  constructor(error: Error) {
    super(error.message, { cause: error });
    this.code = 'code' in error ? error.code : undefined;
  }
}

/** Retries a read once after a stale connection. A write is not retried, because it may have succeeded: its caller must check. */
async function retryStaleRead<T>(request: HttpRequest, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const stale = error instanceof StaleConnection && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    if (request.method !== 'GET' || !stale) throw error;
    return open();
  }
}

/** More than any object takes. Lists, which may be longer, are read in chunks. */
export const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

/** The text of the body, which is empty if something else takes the chunks. */
async function readBody(response: IncomingMessage, onChunk?: (chunk: Buffer) => void): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const keep = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_RESPONSE_BYTES) throw new Error(`the response is larger than ${MAX_RESPONSE_BYTES} bytes`);
    chunks.push(chunk);
  };
  for await (const chunk of response) (onChunk ?? keep)(chunk);
  if (!response.complete) throw new Error('the response is incomplete');
  return Buffer.concat(chunks).toString('utf8');
}

/** Aborts one request when a signal aborts or its time limit expires. */
class RequestGuard {
  cause: Error | undefined;
  readonly #signals: readonly AbortSignal[];
  #request: ClientRequest | undefined;
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;
  #released = false;
  readonly #onAbort = () => this.#abort(reasonOf(this.#signals));

  constructor(signals: readonly AbortSignal[], ms: number) {
    this.#signals = signals;
    for (const signal of signals) signal.addEventListener('abort', this.#onAbort);
    this.#ms = ms;
    this.#startTimer();
    if (signals.some(signal => signal.aborted)) this.#onAbort();
  }

  throwIfAborted(): void {
    if (this.cause) throw this.cause;
  }

  /** Restarts the time limit when the request gets a connection: a request that only queues is not late. Those before it have limits. */
  attach(request: ClientRequest): void {
    this.#request = request;
    clearTimeout(this.#timer);
    request.once('socket', () => this.#startTimer());
  }

  #startTimer(): void {
    clearTimeout(this.#timer);
    if (this.#released) return;
    this.#timer = setTimeout(() => this.#abort(new Error(`no response within ${this.#ms} ms`)), this.#ms);
  }

  /** Replaces the time limit for the response by one that restarts with each chunk of the body. */
  limitIdleTime(ms: number, body: IncomingMessage): void {
    clearTimeout(this.#timer);
    const timer = setTimeout(() => this.#abort(new Error(`no data for ${ms} ms`)), ms);
    this.#timer = timer;
    body.on('data', () => timer.refresh());
    body.pause();
  }

  release(): void {
    this.#released = true;
    clearTimeout(this.#timer);
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#onAbort);
  }

  #abort(cause: Error): void {
    this.cause ??= cause;
    this.#request?.destroy(cause);
  }
}

function reasonOf(signals: readonly AbortSignal[]): Error {
  const reason: unknown = signals.find(signal => signal.aborted)?.reason;
  return reason instanceof Error ? reason : new Error(`aborted: ${String(reason)}`);
}
