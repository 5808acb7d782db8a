/** Faults of single fields, in the wording of the API server. */
import type { Path } from './unknown-json.js';

/** Reasons in `status.details.causes`, by which clients distinguish faults. */
export const REASONS = {
  'Invalid value': 'FieldValueInvalid',
  'Required value': 'FieldValueRequired',
  'Unsupported value': 'FieldValueNotSupported',
  Forbidden: 'FieldValueForbidden',
  'Too many': 'FieldValueTooMany',
} as const;

export interface Fault {
  path: Path;
  what: keyof typeof REASONS;
  /** Included in the message of invalid and unsupported values only. */
  value?: unknown;
  detail: string;
}

export const invalid = (path: Path, value: unknown, detail: string): Fault => ({
  path,
  what: 'Invalid value',
  value,
  detail,
});
export const required = (path: Path, detail = ''): Fault => ({ path, what: 'Required value', detail });
export const forbidden = (path: Path, detail: string): Fault => ({ path, what: 'Forbidden', detail });
export const tooMany = (path: Path, detail: string): Fault => ({ path, what: 'Too many', detail });
export const unsupported = (path: Path, value: unknown, supported: readonly unknown[]): Fault => ({
  path,
  what: 'Unsupported value',
  value,
  detail: `supported values: ${supported.map(one => JSON.stringify(one)).join(', ')}`,
});

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** A path as text, such as `spec.command[0]` or `spec.nodeSelector.matchLabels[kairos.io/managed]`. */
export function pathText(path: Path): string {
  let text = '';
  for (const key of path) {
    const plain = typeof key !== 'number' && PLAIN_KEY.test(String(key));
    text += plain ? `${text === '' ? '' : '.'}${String(key)}` : `[${String(key)}]`;
  }
  return text;
}

/** Longest value in a message: enough to recognise it, without a whole cloud-config. */
const MAX_VALUE_LENGTH = 160;

function valueText(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH)}…`;
}

/** The message without the path: `Invalid value: -1: must be …`. */
export function bodyText({ what, value, detail }: Fault): string {
  const withValue = what === 'Invalid value' || what === 'Unsupported value';
  return [what, ...(withValue ? [valueText(value)] : []), ...(detail === '' ? [] : [detail])].join(': ');
}

/** The message with the path: `spec.concurrency: Invalid value: -1: must be …`. */
export const faultText = (fault: Fault): string => `${pathText(fault.path)}: ${bodyText(fault)}`;
