/**
 * Limits the connections of a server in all and per client address, and makes room by closing those that have asked for nothing yet: any Pod
 * can open connections, and the API server, which shares the limit with them, must always get one.
 */
import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';

export interface ConnectionLimits {
  total: number;
  perAddress: number;
}

interface Connection {
  socket: Socket;
  address: string;
  /** Whether a request on it has been answered. */
  isAnswered: boolean;
  isBusy: boolean;
}

const keyOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`;

function countBy(connections: readonly Connection[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { address } of connections) counts.set(address, (counts.get(address) ?? 0) + 1);
  return counts;
}

/** The oldest of the connections whose address has most of them. */
function oldestOfBusiestAddress(connections: readonly Connection[]): Connection | undefined {
  const counts = countBy(connections);
  const most = Math.max(...counts.values());
  return connections.find(({ address }) => counts.get(address) === most);
}

/**
 * Which of the connections, in the order of their latest answer or their start, to close for a new one: one without an answer, of an address
 * that never had an answer if there is one; otherwise one that is idle. Undefined when all are busy.
 */
export function connectionToClose(connections: readonly Connection[]): Connection | undefined {
  const known = new Set(connections.filter(({ isAnswered }) => isAnswered).map(({ address }) => address));
  const silent = connections.filter(({ isAnswered }) => !isAnswered);
  const idle = connections.filter(({ isAnswered, isBusy }) => isAnswered && !isBusy);
  const strangers = silent.filter(({ address }) => !known.has(address));
  return [strangers, silent, idle].map(oldestOfBusiestAddress).find(connection => connection !== undefined);
}

export class ConnectionGuard {
  readonly #limits: ConnectionLimits;
  /** In the order of their latest answer or their start. */
  readonly #connections = new Map<string, Connection>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Watches the connections of the server, which must not have a limit of its own. Call it before the server listens. */
  watch(server: Pick<Server, 'on'>): void {
    server.on('connection', (socket: Socket) => this.#admit(socket));
  }

  /** The listener, with which each connection is known to be busy or answered. */
  wrap(listener: RequestListener): RequestListener {
    return (request, response) => {
      const key = keyOf(request.socket);
      const connection = this.#connections.get(key);
      if (connection) {
        connection.isBusy = true;
        response.once('finish', () => this.#answered(key, connection));
      }
      listener(request, response);
    };
  }

  #answered(key: string, connection: Connection): void {
    Object.assign(connection, { isAnswered: true, isBusy: false });
    if (this.#connections.delete(key)) this.#connections.set(key, connection);
  }

  #admit(socket: Socket): void {
    const { total, perAddress } = this.#limits;
    const address = socket.remoteAddress ?? '';
    const others = [...this.#connections.values()];
    const neighbours = others.filter(one => one.address === address);
    if (neighbours.length >= perAddress && !this.#close(neighbours)) return void socket.destroy();
    if (this.#connections.size >= total && !this.#close(others)) return void socket.destroy();
    const key = keyOf(socket);
    const connection: Connection = { socket, address, isAnswered: false, isBusy: false };
    this.#connections.set(key, connection);
    socket.once('close', () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
  }

  /** Whether one of the connections could be closed. */
  #close(connections: readonly Connection[]): boolean {
    const closed = connectionToClose(connections);
    if (!closed) return false;
    for (const [key, one] of this.#connections) if (one === closed) this.#connections.delete(key);
    closed.socket.destroy();
    return true;
  }
}
