/** `/healthz`, `/readyz` and, where there are any, `/metrics`, over plain HTTP. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { ConnectionGuard } from './connection-guard.js';

/** Returns what is wrong; undefined when the check passes. */
export type Check = () => string | undefined;

export interface MetricsSource {
  contentType: string;
  text(): Promise<string>;
}

/** A kubelet and a few Prometheus servers need a handful. Probes must be answered although any Pod may connect. */
const CONNECTION_LIMITS = { total: 100, perAddress: 25 };
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 5_000 };

interface HealthResponse {
  code: number;
  type?: string;
  body: string;
}

/** Named checks and the HTTP server that reports them. Liveness checks fail only for problems that a restart solves. */
export class Health {
  readonly #live = new Map<string, Check>();
  readonly #ready = new Map<string, Check>();
  #metrics: MetricsSource | undefined;
  #server: Server | undefined;

  /** The kubelet restarts the container while this check fails. */
  addLivenessCheck(name: string, check: Check): void {
    this.#live.set(name, check);
  }

  /** While this check fails, the Pod receives no traffic and a rollout waits. */
  addReadinessCheck(name: string, check: Check): void {
    this.#ready.set(name, check);
  }

  /** Adds `/metrics` to the server. */
  serveMetrics(metrics: MetricsSource): void {
    this.#metrics = metrics;
  }

  async respond(path: string): Promise<HealthResponse> {
    if (path === '/healthz') return runChecks(this.#live);
    if (path === '/readyz') return runChecks(this.#ready);
    if (path === '/metrics' && this.#metrics)
      return { code: 200, type: this.#metrics.contentType, body: await this.#metrics.text() };
    return { code: 404, body: 'not found\n' };
  }

  /** Returns the port, which the kernel chooses when 0 is given. */
  async listen(port: number, host?: string): Promise<number> {
    const listener: RequestListener = (request, response) => {
      const path = (request.url ?? '/').split('?')[0] ?? '/';
      const send = ({ code, type, body }: HealthResponse) =>
        response.writeHead(code, { 'content-type': type ?? 'text/plain; charset=utf-8' }).end(body);
      this.respond(path).then(send, () => send({ code: 500, body: 'failed\n' }));
    };
    const guard = new ConnectionGuard(CONNECTION_LIMITS);
    const server = createServer(TIMEOUTS, guard.wrap(listener));
    guard.watch(server);
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const address = server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  }
}

function runChecks(checks: ReadonlyMap<string, Check>): HealthResponse {
  const lines = [...checks].map(([name, check]) => ({ name, fault: faultOf(check) }));
  const body = lines.map(({ name, fault }) => (fault === undefined ? `[+] ${name} ok\n` : `[-] ${name}: ${fault}\n`));
  return { code: lines.every(line => line.fault === undefined) ? 200 : 503, body: body.join('') || 'ok\n' };
}

function faultOf(check: Check): string | undefined {
  try {
    return check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
