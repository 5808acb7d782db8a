/** Converts zod issues into faults in the wording of the API server. */
import type * as z from 'zod';
import { type Fault, MAX_FOUND, required, supportedValues } from './faults.js';
import { checkShape, type Issue, type RawIssue, withMessage } from './shape-check.js';
import { type Path, valueAt } from './unknown-json.js';

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

/** The detail of a fault is written when it is read: a spec can have 20,000 faults, of which only the first few are reported. */
class ShapeFault implements Fault {
  readonly what: Fault['what'];
  readonly code: string;

  constructor(
    readonly path: Path,
    readonly value: unknown,
    private readonly issue: RawIssue,
  ) {
    this.code = issue.code ?? '';
    this.what = issue.code === 'invalid_value' ? 'Unsupported value' : 'Invalid value';
  }

  get detail(): string {
    const { issue } = this;
    return issue.code === 'invalid_value' ? supportedValues(issue.values) : detailOf(withMessage(issue));
  }
}

function faultOf(issue: RawIssue, sent: unknown, under: Path): Fault {
  const below = issue.path ?? [];
  const value = valueAt(sent, below);
  const path = [...under, ...below];
  return value === undefined && issue.code !== 'custom' ? required(path) : new ShapeFault(path, value, issue);
}

/** zod checks cross-field rules only when all types are valid; `rules.ts` repeats them, so that they are always checked. */
export interface ShapeFaults {
  shape: Fault[];
  crossField: Fault[];
}

/** The faults that a schema finds in a value; their paths start with `under`. */
export function shapeFaults(schema: z.ZodType, value: unknown, under: Path): ShapeFaults {
  const checked = checkShape(schema, value);
  const found: ShapeFaults = { shape: [], crossField: [] };
  if (checked.isValid) return found;
  for (const issue of checked.issues.slice(0, MAX_FOUND))
    (issue.code === 'custom' ? found.crossField : found.shape).push(faultOf(issue, value, under));
  return found;
}
