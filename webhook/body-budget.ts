/** Limits the memory for bodies that are being received, so that no client can keep the others from sending theirs. */
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { sendError } from './send-error.js';

/** A typical review has 2 to 20 KB. Those of all connections together take less memory than a few of the largest. */
const SMALL_BYTES = 32 * 1024;
/** Refused before it is read. A review of an update holds two objects, and etcd takes objects of up to 1.5 MiB. */
export const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
/** A few of the largest, or hundreds of typical ones. */
const MAX_BYTES = 16 * 1024 * 1024;
/** One client leaves room for a large body of another one. */
const MAX_BYTES_PER_ADDRESS = 12 * 1024 * 1024;
/** The API server sends the largest body within this time; one that is still arriving then is given up for another one. */
const SLOW_MS = 1_000;

interface Body {
  bytes: number;
  address: string;
  startedAt: number;
  request: IncomingMessage;
}

const bytesOf = (bodies: Iterable<Body>) => [...bodies].reduce((sum, { bytes }) => sum + bytes, 0);

/** Counts announced lengths rather than received bytes, because the memory is needed as soon as a body starts to arrive. */
export function limitBodies(now: () => number = () => performance.now()): RequestHandler {
  const open = new Set<Body>();

  /** Whether the new body fits, if necessary after the slow ones among those have been given up. */
  function makeRoom(bytes: number, limit: number, among: (body: Body) => boolean): boolean {
    const bodies = [...open].filter(among);
    for (const body of bodies) {
      if (bytesOf(bodies.filter(one => open.has(one))) + bytes <= limit) return true;
      if (body.request.complete || now() - body.startedAt < SLOW_MS) continue;
      open.delete(body);
      body.request.destroy();
    }
    return bytesOf(bodies.filter(one => open.has(one))) + bytes <= limit;
  }

  return (request, response, next) => {
    const bytes = Number(request.headers['content-length'] ?? 0);
    if (bytes <= SMALL_BYTES || bytes > BODY_LIMIT_BYTES) return next();
    const body: Body = { bytes, address: request.socket.remoteAddress ?? '', startedAt: now(), request };
    const fits =
      makeRoom(bytes, MAX_BYTES_PER_ADDRESS, ({ address }) => address === body.address) &&
      makeRoom(bytes, MAX_BYTES, () => true);
    if (!fits)
      return sendError(response.set('retry-after', '1'), 503, 'too many large requests at the same time, retry later');
    open.add(body);
    response.once('close', () => open.delete(body));
    return next();
  };
}
