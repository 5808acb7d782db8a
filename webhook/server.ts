/** HTTPS whose certificate can be changed while it runs: the next handshake shows the new one, open connections go on. */
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { KeyPair } from '../certs/bundle.js';

/** How patient the server is with the other side. */
export interface ServerTimeouts {
  /** The API server keeps connections for 90 s; closing one at the moment it is used again would fail a request. */
  keepAliveMs?: number;
  headersMs?: number;
  /** For the whole of a request: the API server waits at most 30 s itself, ours are told to wait 5 s. */
  requestMs?: number;
  /** How often slow requests are looked for. */
  lookMs?: number;
}

/** API servers keep a few connections each; what comes beyond so many is no API server. */
const MOST_CONNECTIONS = 500;
/** Longer than any review takes; the API server waits at most 30 s. */
const LAST_REQUESTS_MS = 10_000;

export class WebhookServer {
  readonly #server;
  #leaving = false;

  constructor(app: RequestListener, patience: ServerTimeouts = {}) {
    const { keepAliveMs = 91_000, headersMs = 10_000, requestMs = 15_000, lookMs = 5_000 } = patience;
    const limits = { headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: lookMs };
    this.#server = createServer({ minVersion: 'TLSv1.2', keepAliveTimeout: keepAliveMs, ...limits });
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('request', (request, response) => {
      if (this.#leaving) response.setHeader('connection', 'close');
      app(request, response);
    });
  }

  /** Shows this certificate from the next handshake on. */
  setCertificate({ certificate, key }: KeyPair): void {
    this.#server.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
  }

  /** Resolves to the port listened on: another one than asked for only when asked for 0. */
  async listen(port: number, host?: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  /** Serves on, and asks those who have connections to come back by new ones, which lead to others by then. */
  drain(): void {
    this.#leaving = true;
  }

  /** Takes no new connection, lets open requests end, and closes. */
  async stop(patienceMs = LAST_REQUESTS_MS): Promise<void> {
    this.drain();
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), patienceMs);
    await closed;
    clearTimeout(timer);
  }
}
