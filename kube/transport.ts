/** Requests to the API server over a few connections that are kept. Knows HTTPS, tokens and patience, and no Kubernetes. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Connection } from './connection.js';

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  path: string;
  body?: string;
  contentType?: string;
  /** Any of them aborts the request. */
  signals: readonly AbortSignal[];
}

export interface HttpReply {
  code: number;
  retryAfter?: string;
  text: string;
}

/** A body that is still coming. `release` must be called when it is no longer read. */
export interface ReplyStream {
  code: number;
  body: IncomingMessage;
  /** Why it broke, when we broke it ourselves. */
  cause(): Error | undefined;
  release(): void;
}

export interface TransportOptions {
  userAgent: string;
  callTimeoutMs?: number;
}

const CALL_TIMEOUT_MS = 30_000;
/** Shorter than the API server's own patience with a quiet connection (90 s), so that we never write to one it is closing. */
const IDLE_MS = 30_000;
/** A peer that vanished without a word is noticed by probes of the kernel. */
const PROBE_MS = 15_000;

export class Transport {
  readonly #connection: Connection;
  readonly #userAgent: string;
  readonly #timeoutMs: number;
  /** Last in, first out: few connections that are warm, the others close by themselves. */
  readonly #calls = new Agent({ keepAlive: true, keepAliveMsecs: PROBE_MS, maxSockets: 16, timeout: IDLE_MS });
  /** A watch holds its connection for minutes and must never stand in a queue of calls. */
  readonly #watches = new Agent({ keepAlive: true, keepAliveMsecs: PROBE_MS, timeout: IDLE_MS });

  constructor(connection: Connection, options: TransportOptions) {
    this.#connection = connection;
    this.#userAgent = options.userAgent;
    this.#timeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
  }

  /** Asks and reads the answer to its end, whatever its code. */
  async call(ask: HttpRequest): Promise<HttpReply> {
    const open = async () => {
      const leash = new RequestGuard(ask.signals, this.#timeoutMs);
      try {
        const answer = await this.#open(ask, this.#calls, leash);
        return { code: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'], text: await textOf(answer) };
      } catch (error) {
        throw leash.cause ?? error;
      } finally {
        leash.release();
      }
    };
    return again(ask, open);
  }

  /** Asks and hands over the body while it comes; broken off after `silenceMs` without a byte. */
  async stream(ask: HttpRequest, silenceMs: number): Promise<ReplyStream> {
    const open = async () => {
      const leash = new RequestGuard(ask.signals, this.#timeoutMs);
      try {
        const body = await this.#open(ask, this.#watches, leash);
        leash.patience(silenceMs, body);
        return {
          code: body.statusCode ?? 0,
          body,
          cause: () => leash.cause,
          release: () => {
            leash.release();
            if (!body.complete) body.destroy();
          },
        };
      } catch (error) {
        leash.release();
        throw leash.cause ?? error;
      }
    };
    return again(ask, open);
  }

  /** Closes what is open; what is under way fails. */
  close(): void {
    this.#calls.destroy();
    this.#watches.destroy();
  }

  async #open(ask: HttpRequest, agent: Agent, leash: RequestGuard): Promise<IncomingMessage> {
    const { authorization, ...tls } = await this.#connection.credentials();
    leash.check();
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': this.#userAgent };
    if (authorization !== undefined) headers.authorization = authorization;
    if (ask.body !== undefined) {
      headers['content-type'] = ask.contentType ?? 'application/json';
      headers['content-length'] = String(Buffer.byteLength(ask.body));
    }
    const url = new URL(this.#connection.server + ask.path);
    return new Promise((resolve, reject) => {
      const request = httpsRequest(url, { method: ask.method, headers, agent, ...tls });
      leash.hold(request);
      request.once('response', resolve);
      request.on('error', error => reject(request.reusedSocket ? new StaleConnection(error) : error));
      request.end(ask.body);
    });
  }
}

/** A kept connection was broken when we used it again: very likely closed by the server while it was idle. */
class StaleConnection extends Error {
  readonly code: unknown;
  constructor(error: Error) {
    super(error.message, { cause: error });
    this.code = 'code' in error ? error.code : undefined;
  }
}

/** Reading twice does no harm, so a read that met a stale connection is tried once more. A write may have been done: its caller must look. */
async function again<T>(ask: HttpRequest, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const stale = error instanceof StaleConnection && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    if (ask.method !== 'GET' || !stale) throw error;
    return open();
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece);
  if (!answer.complete) throw new Error('the answer broke off');
  return Buffer.concat(pieces).toString('utf8');
}

/** Holds one request and breaks it off when a signal aborts or patience ends. */
class RequestGuard {
  cause: Error | undefined;
  readonly #signals: readonly AbortSignal[];
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#break(reasonOf(this.#signals));

  constructor(signals: readonly AbortSignal[], ms: number) {
    this.#signals = signals;
    for (const signal of signals) signal.addEventListener('abort', this.#onAbort);
    this.#timer = setTimeout(() => this.#break(new Error(`no answer within ${ms} ms`)), ms);
    if (signals.some(signal => signal.aborted)) this.#onAbort();
  }

  check(): void {
    if (this.cause) throw this.cause;
  }

  hold(request: ClientRequest): void {
    this.#request = request;
  }

  /** From now on, patience is counted from the last byte. */
  patience(ms: number, body: IncomingMessage): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#break(new Error(`silent for ${ms} ms`)), ms);
    body.on('data', () => this.#timer.refresh());
    body.pause();
  }

  release(): void {
    clearTimeout(this.#timer);
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#onAbort);
  }

  #break(cause: Error): void {
    this.cause ??= cause;
    this.#request?.destroy(cause);
  }
}

function reasonOf(signals: readonly AbortSignal[]): Error {
  const reason: unknown = signals.find(signal => signal.aborted)?.reason;
  return reason instanceof Error ? reason : new Error(`aborted: ${String(reason)}`);
}
