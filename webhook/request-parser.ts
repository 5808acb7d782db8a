/** Parses request bodies: only JSON in UTF-8, with limits on the size of a body and of all bodies that are being received. */
import express, { type RequestHandler } from 'express';
import { cutName } from '../api/cut.js';
import { limitViolation } from '../api/json-limits.js';
import { BODY_LIMIT_BYTES, limitBodies } from './body-budget.js';
import { sendError } from './send-error.js';

const onlyJson: RequestHandler = (request, response, next) => {
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] !== undefined)
    return sendError(response, 411, 'the content-length header is required');
  if (request.is('application/json')) return next();
  const sent = cutName(request.headers['content-type'] ?? 'none');
  return sendError(response, 415, `expected content type application/json, got ${sent}`);
};

/** A rejected body; the express parser passes this error on unchanged. */
class BodyError extends Error {
  constructor(
    message: string,
    readonly type: string,
    readonly status: number,
  ) {
    super(message);
  }
}

const parse = express.json({
  limit: BODY_LIMIT_BYTES,
  type: 'application/json',
  inflate: false,
  verify: (_request, _response, body, encoding) => {
    if (encoding !== 'utf-8') throw new BodyError(encoding, 'charset.unsupported', 415);
    const violation = limitViolation(body);
    if (violation !== undefined) throw new BodyError(violation, 'limit', 413);
  },
});

/** The handlers that turn a request into `request.body`. */
export const requestParser = (): RequestHandler[] => [onlyJson, limitBodies(), parse];

const MESSAGES: Readonly<Record<string, string>> = {
  'entity.parse.failed': 'the body is not valid JSON',
  'entity.too.large': 'the body is larger than 4mb',
  'encoding.unsupported': 'the content encoding is not supported',
  'charset.unsupported': 'the charset is not supported',
};

/** Status code and message for an error that occurred before a handler was called. */
export function parserErrorResponse(error: { type?: unknown; status?: unknown; message?: unknown }): [number, string] {
  const code = typeof error.status === 'number' && error.status < 500 ? error.status : 500;
  if (error instanceof BodyError && error.type === 'limit') return [code, error.message];
  return [code, MESSAGES[String(error.type)] ?? (code === 500 ? 'the webhook failed' : 'the request is malformed')];
}
