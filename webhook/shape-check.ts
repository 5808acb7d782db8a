/**
 * Checks a value against a schema without `safeParse`, which writes a message for every issue and one text with all of them: for 20,000
 * invalid items that takes half a second, although forty of them are reported.
 */
import type * as z from 'zod';
import { config, util } from 'zod/v4/core';

export type RawIssue = z.core.$ZodRawIssue;
export type Issue = z.core.$ZodIssue;

export type ShapeCheck<T> = { isValid: true; data: T } | { isValid: false; issues: readonly RawIssue[] };

type Checks = Map<z.ZodType, ShapeCheck<unknown>>;

/** Faults, defaults, rules and warnings of one review check the same spec, which may have 20,000 values. */
const known = new WeakMap<object, Checks>();

function checksOf(value: unknown): Checks {
  if (typeof value !== 'object' || value === null) return new Map();
  const checks = known.get(value) ?? new Map();
  known.set(value, checks);
  return checks;
}

function run(schema: z.ZodType, value: unknown): ShapeCheck<unknown> {
  /* Where zod keeps what libraries build upon. */
  const { _zod: internals } = schema;
  const checked = internals.run({ value, issues: [] }, { async: false });
  if (checked instanceof Promise) throw new TypeError('the schema is asynchronous');
  return checked.issues.length === 0
    ? { isValid: true, data: checked.value }
    : { isValid: false, issues: checked.issues };
}

/** The value with its defaults, or all issues, whose messages are not written yet. The value must not change afterwards. */
export function checkShape<T>(schema: z.ZodType<T>, value: unknown): ShapeCheck<T> {
  const checks = checksOf(value);
  const check = checks.get(schema) ?? run(schema, value);
  checks.set(schema, check);
  return check as ShapeCheck<T>;
}

/** The issue with its message. */
export const withMessage = (issue: RawIssue): Issue => util.finalizeIssue(issue, {}, config());
