import { type Cause, KubeError } from './errors.js';

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
const MAX_MESSAGE_LENGTH = 2_000;

/** The error of an unsuccessful response; `what` names the request. Proxies answer in plain text or HTML, of which the start is quoted. */
export function errorFromResponse(reply: { code: number; retryAfter?: string; text: string }, what: string): KubeError {
  const status = parsed(reply.text);
  const header = Number.parseInt(reply.retryAfter ?? '', 10);
  const message = (reported(status) ?? reply.text.slice(0, 200).trim()) || 'no reason given';
  return new KubeError(reply.code, `${what}: ${reply.code} ${message}`, status?.reason, {
    causes: status?.details?.causes,
    retryAfterSeconds: Number.isNaN(header) ? status?.details?.retryAfterSeconds : header,
  });
}

const reported = (status: Status | undefined): string | undefined =>
  typeof status?.message === 'string' ? status.message.slice(0, MAX_MESSAGE_LENGTH) : undefined;
