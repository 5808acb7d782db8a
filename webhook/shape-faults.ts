/** Converts zod issues into faults in the wording of the API server. */
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
const COUNTED: Readonly<Record<string, (count: number | bigint) => string>> = { array: items, string: characters };

function tooSmall({ origin, minimum, inclusive }: z.core.$ZodIssueTooSmall): string {
  const count = COUNTED[origin];
  if (count) return `must have at least ${count(minimum)}`;
  return inclusive === false ? `must be greater than ${minimum}` : `must be greater than or equal to ${minimum}`;
}

function tooBig({ origin, maximum, inclusive }: z.core.$ZodIssueTooBig): string {
  const count = COUNTED[origin];
  if (count) return `must have at most ${count(maximum)}`;
  return inclusive === false ? `must be less than ${maximum}` : `must be less than or equal to ${maximum}`;
}

/** The message of the schema itself. Default messages of zod start with these words and are replaced. */
const schemaMessage = (issue: Issue): string | undefined =>
  /^(Invalid|Too|Expected|Unrecognized)\b/.test(issue.message) ? undefined : issue.message;

function detailOf(issue: Issue): string {
  const message = schemaMessage(issue);
  if (message !== undefined) return message;
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

/** zod checks cross-field rules only when all types are valid; `rules.ts` repeats them, so that they are always checked. */
export interface ShapeFaults {
  shape: Fault[];
  crossField: Fault[];
}

/** The faults that a schema finds in a value; their paths start with `under`. */
export function shapeFaults(schema: z.ZodType, value: unknown, under: Path): ShapeFaults {
  const issues = schema.safeParse(value).error?.issues ?? [];
  const faults = (wanted: (issue: Issue) => boolean) =>
    issues.filter(wanted).map(issue => {
      const fault = faultOf(issue, valueAt(value, issue.path));
      return { ...fault, path: [...under, ...fault.path] };
    });
  return { shape: faults(issue => issue.code !== 'custom'), crossField: faults(issue => issue.code === 'custom') };
}
