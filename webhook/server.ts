/** An HTTPS server whose certificate can be replaced while it runs: new handshakes use it, open connections continue. */
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { KeyPair } from '../certs/bundle.js';
import { ConnectionGuard, type ConnectionLimits } from '../program/connection-guard.js';

/** Timeouts in milliseconds, and limits. */
export interface ServerOptions {
  /** From the connection to the end of the TLS handshake. */
  handshakeMs?: number;
  limits?: ConnectionLimits;
  /** Longer than the API server's 90 s, because closing a connection while it is being reused would fail a request. */
  keepAliveMs?: number;
  headersMs?: number;
  /** For a whole request: the webhook configurations let the API server wait for 5 s, and 30 s is its maximum. */
  requestMs?: number;
  /** Interval of the check for slow requests. */
  checkIntervalMs?: number;
}

/** An API server opens one connection for each review at the same time, of which it sends 200 by default. */
const CONNECTION_LIMITS: ConnectionLimits = { total: 500, perAddress: 250 };
/** How long open requests may take after a stop: longer than any review. */
const STOP_GRACE_MS = 10_000;

export class WebhookServer {
  readonly #server;
  #draining = false;

  constructor(app: RequestListener, options: ServerOptions = {}) {
    const { keepAliveMs = 91_000, headersMs = 10_000, requestMs = 15_000, checkIntervalMs = 5_000 } = options;
    const timeouts = {
      handshakeTimeout: options.handshakeMs ?? 5_000,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkIntervalMs,
    };
    this.#server = createServer({ minVersion: 'TLSv1.2', keepAliveTimeout: keepAliveMs, ...timeouts });
    const guard = new ConnectionGuard(options.limits ?? CONNECTION_LIMITS);
    guard.watch(this.#server);
    const listener: RequestListener = (request, response) => {
      if (this.#draining) response.setHeader('connection', 'close');
      app(request, response);
    };
    this.#server.on('request', guard.wrap(listener));
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
