import { cutText } from '../program/cut-text.js';
import { type Cause, KubeError } from './errors.js';

const MAX_QUOTE_BYTES = 200;

/** The body of an error response, `kind: Status`. */
interface Status {
  message?: string;
  reason?: string;
  details?: { causes?: Cause[]; retryAfterSeconds?: number };
}

const parsed = (text: string): Status | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
};

/** An admission webhook may say anything; its words become part of a status, for each of many nodes. */
const MAX_CAUSES = 40;

/** The error of an unsuccessful response; `what` names the request. Proxies answer in plain text or HTML, of which the start is quoted. */
export function errorFromResponse(reply: { code: number; retryAfter?: string; text: string }, what: string): KubeError {
  const status = parsed(reply.text);
  const header = Number.parseInt(reply.retryAfter ?? '', 10);
  const message = (reported(status) ?? cutText(reply.text.trim(), MAX_QUOTE_BYTES)) || 'no reason given';
  return new KubeError(reply.code, `${what}: ${reply.code} ${message}`, status?.reason, {
    causes: causesOf(status),
    retryAfterSeconds: Number.isNaN(header) ? status?.details?.retryAfterSeconds : header,
  });
}

const reported = (status: Status | undefined): string | undefined =>
  typeof status?.message === 'string' ? cutText(status.message) : undefined;

const limited = (text: unknown): string | undefined => (typeof text === 'string' ? cutText(text) : undefined);

function causesOf(status: Status | undefined): Cause[] | undefined {
  const causes = status?.details?.causes;
  if (!Array.isArray(causes)) return undefined;
  return causes.slice(0, MAX_CAUSES).map(({ reason, message, field }) => ({
    reason: limited(reason),
    message: limited(message),
    field: limited(field),
  }));
}
