/** An API server under load: few connections that are kept, trust that it learns by a watch, two hundred questions a second. */
import { Agent, request } from 'node:https';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { review } from './reviews.js';

export interface Caller {
  /** Answers so far. */
  answered(): number;
  /** What did not get an answer, in words. */
  failures: string[];
  /** Serial numbers of the certificates seen. */
  serials: Set<string>;
  /** From now on these authorities are trusted, by new connections. */
  trust(ca: string): void;
  stop(): Promise<void>;
}

const BODY = JSON.stringify(review());

/** Asks `perSecond` times a second until it is stopped. */
export function caller(port: number, ca: string, perSecond = 200): Caller {
  let agent = new Agent({ keepAlive: true, maxSockets: 8, ca, servername: 'localhost' });
  const agents = [agent];
  const [failures, serials, open] = [[] as string[], new Set<string>(), new Set<Promise<void>>()];
  let answered = 0;
  const ask = () =>
    new Promise<void>(resolve => {
      const headers = { 'content-type': 'application/json', 'content-length': String(BODY.length) };
      const failed = (why: string) => {
        failures.push(why);
        resolve();
      };
      const asking = request(
        { host: '127.0.0.1', port, path: '/validate', method: 'POST', agent, headers },
        response => {
          const { socket } = response;
          const seen = (socket as TLSSocket).getPeerX509Certificate();
          if (seen) serials.add(seen.serialNumber);
          response.resume().on('end', () => {
            if (response.statusCode !== 200) return failed(`answer ${response.statusCode}`);
            answered += 1;
            return resolve();
          });
          response.on('error', error => failed(error.message));
        },
      );
      asking.setTimeout(5_000, () => asking.destroy(new Error('no answer within 5 s')));
      asking.on('error', error => failed(error.message)).end(BODY);
    });
  const timer = setInterval(() => {
    const one = ask().finally(() => open.delete(one));
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
  /** Where new connections go from now on. */
  ports: number[];
  stop(): Promise<void>;
}

/** A Service: each new connection goes to the next of its endpoints and stays there. */
export async function balancer(ports: number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const self: Balancer = { port: 0, ports, stop: () => stop(server, sockets) };
  const server = createServer(near => {
    const far = connect(self.ports[turn++ % self.ports.length] ?? 0, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
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
