/** HTTPS whose certificate can be changed while it runs: the next handshake shows the new one, open connections go on. */
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { Pair } from '../certs/bundle.js';

/** The API server keeps connections for 90 s; closing one at the moment it is used again would fail a request. */
const KEEP_ALIVE_MS = 90_000;
const HEADERS_MS = 32_000;
/** Longer than any review takes; the API server waits at most 30 s. */
const LAST_REQUESTS_MS = 10_000;

export class WebhookServer {
  readonly #server;

  constructor(app: RequestListener) {
    this.#server = createServer({ minVersion: 'TLSv1.2' }, app);
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.headersTimeout = HEADERS_MS;
  }

  /** Shows this certificate from the next handshake on. */
  show({ certificate, key }: Pair): void {
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

  /** Takes no new connection, lets open requests end, and closes. */
  async stop(patienceMs = LAST_REQUESTS_MS): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), patienceMs);
    await closed;
    clearTimeout(timer);
  }
}
