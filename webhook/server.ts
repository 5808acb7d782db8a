/** An HTTPS server whose certificate can be replaced while it runs: new handshakes use it, open connections continue. */
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { KeyPair } from '../certs/bundle.js';

/** Timeouts in milliseconds. */
export interface ServerTimeouts {
  /** Longer than the API server's 90 s, because closing a connection while it is being reused would fail a request. */
  keepAliveMs?: number;
  headersMs?: number;
  /** For a whole request: the webhook configurations let the API server wait for 5 s, and 30 s is its maximum. */
  requestMs?: number;
  /** Interval of the check for slow requests. */
  checkIntervalMs?: number;
}

/** API servers keep a few connections each, so more connections than this come from other clients. */
const MAX_CONNECTIONS = 500;
/** How long open requests may take after a stop: longer than any review. */
const STOP_GRACE_MS = 10_000;

export class WebhookServer {
  readonly #server;
  #draining = false;

  constructor(app: RequestListener, timeouts: ServerTimeouts = {}) {
    const { keepAliveMs = 91_000, headersMs = 10_000, requestMs = 15_000, checkIntervalMs = 5_000 } = timeouts;
    const limits = {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkIntervalMs,
    };
    this.#server = createServer({ minVersion: 'TLSv1.2', keepAliveTimeout: keepAliveMs, ...limits });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('request', (request, response) => {
      if (this.#draining) response.setHeader('connection', 'close');
      app(request, response);
    });
  }

  /** Uses this certificate from the next handshake on. */
  setCertificate({ certificate, key }: KeyPair): void {
    this.#server.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
  }

  /** Starts to listen and resolves to the port, which differs from `port` only when that is 0. */
  async listen(port: number, host?: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  /** Keeps serving, but asks clients to close their connections; new connections go to other replicas by then. */
  drain(): void {
    this.#draining = true;
  }

  /** Accepts no new connections, waits up to `graceMs` for open requests, and closes. */
  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    this.drain();
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }
}
