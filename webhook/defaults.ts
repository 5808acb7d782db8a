/** Defaults as a JSON patch (RFC 6902) that only adds missing fields and never changes a value that a user wrote. */
import type * as z from 'zod';
import { checkShape } from './shape-check.js';
import { isFields, type Path } from './unknown-json.js';

export interface AddOperation {
  op: 'add';
  path: string;
  value: unknown;
}

/** A path as JSON pointer (RFC 6901). */
export const pointer = (path: Path): string =>
  path.map(key => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

function added(sent: unknown, full: unknown, path: Path): AddOperation[] {
  if (Array.isArray(sent) && Array.isArray(full))
    return full.flatMap((one: unknown, index) => added(sent[index], one, [...path, index]));
  if (!isFields(sent) || !isFields(full)) return [];
  return Object.entries(full).flatMap(([key, value]) => {
    const here = [...path, key];
    if (sent[key] !== undefined) return added(sent[key], value, here);
    return value === undefined ? [] : [{ op: 'add' as const, path: pointer(here), value }];
  });
}

/** Patch operations that add the missing defaults of a schema at `path`; none when `sent` is invalid. */
export function missingDefaults(schema: z.ZodType, sent: unknown, path: Path): AddOperation[] {
  const checked = checkShape(schema, sent);
  return checked.isValid ? added(sent, checked.data, path) : [];
}

/** The value with all defaults, for comparisons; unchanged when it is invalid. */
export function defaulted(schema: z.ZodType, sent: unknown): unknown {
  const checked = checkShape(schema, sent);
  return checked.isValid ? checked.data : sent;
}
