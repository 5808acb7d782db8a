/** The messages in a status. */
import { cutStart, cutText } from '../program/cut-text.js';

/** Fields with a text that a user or a program of a user can make long. Others have names, times and numbers, or are compared as a whole. */
const MESSAGES: ReadonlySet<string> = new Set(['message', 'builderLoss', 'rejected', 'log']);
/** The end of a log, up to 2 KiB, may be part of a message. */
const MAX_BYTES = 2560;

const cut = (key: string, text: string) => (key === 'log' ? cutStart : cutText)(text, MAX_BYTES);

/** The same status with each message cut. The API server refuses an object of more than 1.5 MiB, so a long message would never be seen. */
export function withCutMessages<T>(status: T): T {
  return cutIn('', status) as T;
}

function cutIn(key: string, value: unknown): unknown {
  if (typeof value === 'string') return MESSAGES.has(key) ? cut(key, value) : value;
  if (Array.isArray(value)) return value.map(each => cutIn(key, each));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, cutIn(name, field)]));
}
