/** Faults of single fields, in the wording of the API server. Paths, values and details are cut: a user can make each of them megabytes long. */
import { cut, cutName } from '../api/cut.js';
import type { Path } from './unknown-json.js';

/** Reasons in `status.details.causes`, by which clients distinguish faults. */
export const REASONS = {
  'Invalid value': 'FieldValueInvalid',
  'Required value': 'FieldValueRequired',
  'Unsupported value': 'FieldValueNotSupported',
  Forbidden: 'FieldValueForbidden',
  'Too many': 'FieldValueTooMany',
} as const;

/** After that many faults no more are looked for: the cost of a review must not depend on how many there are. */
export const MAX_FOUND = 1_000;

export interface Fault {
  path: Path;
  what: keyof typeof REASONS;
  /** Included in the message of invalid and unsupported values only. */
  value?: unknown;
  /** Read only for the faults that are reported. */
  readonly detail: string;
  /** Stands for the detail in comparisons, where writing that takes time. */
  readonly code?: string;
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
export const supportedValues = (supported: readonly unknown[]): string =>
  `supported values: ${supported.map(one => JSON.stringify(one)).join(', ')}`;

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** A path as text, such as `spec.command[0]` or `spec.nodeSelector.matchLabels[kairos.io/managed]`. */
export function pathText(path: Path): string {
  let text = '';
  for (const key of path) {
    const name = cutName(String(key));
    const plain = typeof key !== 'number' && PLAIN_KEY.test(name);
    text += plain ? `${text === '' ? '' : '.'}${name}` : `[${name}]`;
  }
  return cut(text, MAX_PATH_LENGTH);
}

/** Longer than any path whose keys are legal. */
const MAX_PATH_LENGTH = 512;

/** Longest value in a message: enough to recognise it, without a whole cloud-config. */
const MAX_VALUE_LENGTH = 160;
const MAX_DETAIL_LENGTH = 512;

function valueText(value: unknown): string {
  const start = typeof value === 'string' ? value.slice(0, MAX_VALUE_LENGTH + 1) : value;
  const text = JSON.stringify(start) ?? 'null';
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH)}…`;
}

/** The same for the same fault of two versions of an object, without the texts that only a reported fault needs. */
export const faultKey = (fault: Fault): string =>
  [...fault.path.map(String), '', fault.what, fault.code ?? fault.detail, JSON.stringify(fault.value) ?? ''].join('\0');

/** The message without the path: `Invalid value: -1: must be …`. */
export function bodyText({ what, value, detail }: Fault): string {
  const withValue = what === 'Invalid value' || what === 'Unsupported value';
  return [
    what,
    ...(withValue ? [valueText(value)] : []),
    ...(detail === '' ? [] : [cut(detail, MAX_DETAIL_LENGTH)]),
  ].join(': ');
}

/** The message with the path: `spec.concurrency: Invalid value: -1: must be …`. */
export const faultText = (fault: Fault): string => `${pathText(fault.path)}: ${bodyText(fault)}`;
