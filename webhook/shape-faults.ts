/** zod's findings, in the words of the API server. */
import type * as z from 'zod';
import { type Fault, invalid, required, unsupported } from './faults.js';
import { type Path, valueAt } from './unknown-json.js';

type Issue = z.core.$ZodIssue;

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  boolean: 'a boolean',
  number: 'a number',
  int: 'a whole number',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

const items = (count: number | bigint) => `${count} ${Number(count) === 1 ? 'item' : 'items'}`;
const characters = (count: number | bigint) => `${count} ${Number(count) === 1 ? 'character' : 'characters'}`;
const counted: Readonly<Record<string, (count: number | bigint) => string>> = { array: items, string: characters };

function tooSmall({ origin, minimum, inclusive }: z.core.$ZodIssueTooSmall): string {
  const words = counted[origin];
  if (words) return `must have at least ${words(minimum)}`;
  return inclusive === false ? `must be greater than ${minimum}` : `must be greater than or equal to ${minimum}`;
}

function tooBig({ origin, maximum, inclusive }: z.core.$ZodIssueTooBig): string {
  const words = counted[origin];
  if (words) return `must have at most ${words(maximum)}`;
  return inclusive === false ? `must be less than ${maximum}` : `must be less than or equal to ${maximum}`;
}

/** A schema's own sentence; zod's begin with these words and name no rule a user knows. */
const ownWords = (issue: Issue): string | undefined =>
  /^(Invalid|Too|Expected|Unrecognized)\b/.test(issue.message) ? undefined : issue.message;

function detailOf(issue: Issue): string {
  const own = ownWords(issue);
  if (own !== undefined) return own;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? `of type ${issue.expected}`}`;
    case 'too_small':
      return tooSmall(issue);
    case 'too_big':
      return tooBig(issue);
    case 'invalid_format':
      return issue.pattern === undefined ? `must be a valid ${issue.format}` : `must match ${issue.pattern}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.map(detailOf).join(', ');
    default:
      return 'is not allowed here';
  }
}

function faultOf(issue: Issue, value: unknown): Fault {
  if (value === undefined && issue.code !== 'custom') return required(issue.path);
  if (issue.code === 'invalid_value') return unsupported(issue.path, value, issue.values);
  return invalid(issue.path, value, detailOf(issue));
}

/** The cross-field rules of the schemas stay silent while a shape is wrong; `rules.ts` has them again, always awake. */
export interface ShapeFaults {
  shape: Fault[];
  crossField: Fault[];
}

/** What a schema says of an object; paths begin with `under`. */
export function shapeFaults(schema: z.ZodType, value: unknown, under: Path): ShapeFaults {
  const issues = schema.safeParse(value).error?.issues ?? [];
  const faults = (wanted: (issue: Issue) => boolean) =>
    issues.filter(wanted).map(issue => {
      const fault = faultOf(issue, valueAt(value, issue.path));
      return { ...fault, path: [...under, ...fault.path] };
    });
  return { shape: faults(issue => issue.code !== 'custom'), crossField: faults(issue => issue.code === 'custom') };
}
