/**
 * The connections of one process to an API server whose calls take time. A call occupies a connection of its pool for its whole
 * duration, and calls for which none is free wait for one: in the pools, of the sizes and with the time limit of the real client.
 */
import { setMaxListeners } from 'node:events';
import { poolOf } from '../../../kube/client.js';
import type { Resource } from '../../../kube/kube.js';
import { CALL_TIMEOUT_MS, MAX_SOCKETS, type PoolName } from '../../../kube/transport.js';
import type { FakeApiServer } from './api-server.js';
import type { Process, SentRequest } from './process.js';

const METHODS = {
  get: 'GET',
  list: 'GET',
  create: 'POST',
  dryRun: 'POST',
  evict: 'POST',
  patch: 'PATCH',
  replace: 'PUT',
  delete: 'DELETE',
} as const;

export interface ApiCall {
  verb: keyof typeof METHODS;
  resource: Resource;
  /** Absent for lists. */
  name?: string;
}

/** How long the API server takes for a call of a program, for example because an admission webhook does not answer. */
export type CallSeconds = (call: { verb: ApiCall['verb']; plural: string; name?: string; program: string }) => number;

/** Connections of one pool, and the calls that wait for one. */
class Pool {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async acquire(signal: AbortSignal | undefined): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const start = () => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(signal?.reason as Error);
      };
      this.#waiting.push(start);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}

export class Connections {
  readonly #api: FakeApiServer;
  readonly #process: Process;
  readonly #pools: Record<PoolName, Pool> = {
    calls: new Pool(MAX_SOCKETS.calls),
    slow: new Pool(MAX_SOCKETS.slow),
    urgent: new Pool(MAX_SOCKETS.urgent),
  };

  constructor(api: FakeApiServer, process: Process) {
    this.#api = api;
    this.#process = process;
  }

  /** Rejects when `until` aborts or the call takes too long; the API server then does not perform it. */
  async call<T>(
    { verb, resource, name }: ApiCall,
    until: AbortSignal | undefined,
    send: (sent?: SentRequest) => Promise<T>,
  ): Promise<T> {
    const secondsOf = this.#api.callSeconds;
    if (secondsOf === undefined) return send();
    const pool = this.#pools[poolOf({ method: METHODS[verb] }, resource)];
    await pool.acquire(until);
    const takesMs = secondsOf({ verb, plural: resource.plural, name, program: this.#process.program.name }) * 1000;
    try {
      return takesMs > 0 ? await this.#limited(takesMs, until, send) : await send();
    } finally {
      pool.release();
    }
  }

  async #limited<T>(
    takesMs: number,
    until: AbortSignal | undefined,
    send: (sent: SentRequest) => Promise<T>,
  ): Promise<T> {
    const answered = new AbortController();
    const cancelled = new AbortController();
    if (until) setMaxListeners(0, until);
    const response = send({ takesMs, cancelled: cancelled.signal });
    const tooLate = this.#process.clock.sleep(CALL_TIMEOUT_MS, answered.signal).then(() => {
      throw new Error(`no response within ${CALL_TIMEOUT_MS / 1000} s`);
    });
    const aborted = new Promise<never>((_resolve, reject) => {
      until?.addEventListener('abort', () => reject(until.reason as Error), { signal: answered.signal });
    });
    try {
      return await Promise.race([response, tooLate, aborted]);
    } catch (error) {
      cancelled.abort();
      throw error;
    } finally {
      answered.abort();
    }
  }
}
