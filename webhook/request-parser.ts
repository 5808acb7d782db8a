/** What stands between the network and the judges: only JSON in UTF-8, only so much of it, only so much at once. */
import express, { type RequestHandler, type Response } from 'express';
import { limitViolation } from './json-limits.js';

/** A review of an update holds two objects, and etcd takes objects of up to 1.5 MiB. */
const BODY_LIMIT = '4mb';
/** Of all bodies that are being received: a few of the largest, thousands of everyday ones. */
const TOGETHER_BYTES = 16 * 1024 * 1024;

/** An answer that is no review; nothing but the sentence goes out. */
export const refuse = (response: Response, code: number, error: string): void =>
  void response.status(code).json({ error });

const onlyJson: RequestHandler = (request, response, next) => {
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] !== undefined)
    return refuse(response, 411, 'expected the header content-length');
  if (request.is('application/json')) return next();
  const sent = request.headers['content-type'] ?? 'none';
  return refuse(response, 415, `expected content type application/json, got ${sent}`);
};

/** Counts what is announced, not what has come: memory is promised from the first byte on. */
function onlySoMuchAtOnce(): RequestHandler {
  let together = 0;
  return (request, response, next) => {
    const length = Number(request.headers['content-length'] ?? 0);
    if (together + length > TOGETHER_BYTES && together > 0)
      return refuse(response.set('retry-after', '1'), 503, 'too many large bodies at once, try again');
    together += length;
    response.once('close', () => (together -= length));
    return next();
  };
}

/** An error that the parser of express hands on as it is. */
class Unfit extends Error {
  constructor(
    message: string,
    readonly type: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const parse = express.json({
  limit: BODY_LIMIT,
  type: 'application/json',
  inflate: false,
  verify: (_request, _response, body, encoding) => {
    if (encoding !== 'utf-8') throw new Unfit(encoding, 'charset.unsupported', 415);
    const why = limitViolation(body);
    if (why !== undefined) throw new Unfit(why, 'excess', 413);
  },
});

/** From the socket to `request.body`. */
export const requestParser = (): RequestHandler[] => [onlyJson, onlySoMuchAtOnce(), parse];

const SAID: Readonly<Record<string, string>> = {
  'entity.parse.failed': 'the body is not JSON',
  'entity.too.large': `the body is larger than ${BODY_LIMIT}`,
  'encoding.unsupported': 'the content encoding is not supported',
  'charset.unsupported': 'the charset is not supported',
};

/** Code and sentence for what was found wrong with a request before any handler saw it. */
export function parserErrorResponse(error: { type?: unknown; status?: unknown; message?: unknown }): [number, string] {
  const code = typeof error.status === 'number' && error.status < 500 ? error.status : 500;
  if (error instanceof Unfit && error.type === 'excess') return [code, error.message];
  return [code, SAID[String(error.type)] ?? (code === 500 ? 'the webhook failed' : 'the request is not understood')];
}
