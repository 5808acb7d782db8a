/** Simulates a busy API server: few keep-alive connections, a CA bundle that changes, and two hundred reviews a second. */
import { Agent, request } from 'node:https';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { review } from './reviews.js';

export interface Caller {
  /** Number of answers so far. */
  answered(): number;
  /** Errors of requests without a successful answer. */
  failures: string[];
  /** Serial numbers of the certificates seen. */
  serials: Set<string>;
  /** Trusts this CA bundle for new connections. */
  trust(ca: string): void;
  stop(): Promise<void>;
}

const BODY = JSON.stringify(review());

/** Sends `perSecond` reviews a second until it is stopped. */
export function caller(port: number, ca: string, perSecond = 200): Caller {
  let agent = new Agent({ keepAlive: true, maxSockets: 8, ca, servername: 'localhost' });
  const agents = [agent];
  const [failures, serials, open] = [[] as string[], new Set<string>(), new Set<Promise<void>>()];
  let answered = 0;
  const send = () =>
    new Promise<void>(resolve => {
      const headers = { 'content-type': 'application/json', 'content-length': String(BODY.length) };
      const failed = (reason: string) => {
        failures.push(reason);
        resolve();
      };
      const sent = request({ host: '127.0.0.1', port, path: '/validate', method: 'POST', agent, headers }, response => {
        const { socket } = response;
        const seen = (socket as TLSSocket).getPeerX509Certificate();
        if (seen) serials.add(seen.serialNumber);
        response.resume().on('end', () => {
          if (response.statusCode !== 200) return failed(`answer ${response.statusCode}`);
          answered += 1;
          return resolve();
        });
        response.on('error', error => failed(error.message));
      });
      sent.setTimeout(5_000, () => sent.destroy(new Error('no response within 5 s')));
      sent.on('error', error => failed(error.message)).end(BODY);
    });
  const timer = setInterval(() => {
    const one = send().finally(() => open.delete(one));
    open.add(one);
  }, 1000 / perSecond);
  return {
    answered: () => answered,
    failures,
    serials,
    trust: now => {
      agent = new Agent({ keepAlive: true, maxSockets: 8, ca: now, servername: 'localhost' });
      agents.push(agent);
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      for (const one of agents) one.destroy();
    },
  };
}

export interface Balancer {
  port: number;
  /** The backends of new connections. */
  ports: number[];
  stop(): Promise<void>;
}

/** Simulates a Service: each new connection is forwarded to the next endpoint and stays there. */
export async function balancer(ports: number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let next = 0;
  const self: Balancer = { port: 0, ports, stop: () => stop(server, sockets) };
  const server = createServer(client => {
    const backend = connect(self.ports[next++ % self.ports.length] ?? 0, '127.0.0.1');
    for (const [one, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroySoon();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  self.port = typeof address === 'object' && address ? address.port : 0;
  return self;
}

async function stop(server: Server, sockets: Set<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await new Promise(resolve => server.close(resolve));
}
