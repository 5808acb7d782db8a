/** A JSON patch (RFC 6902) that only adds what is missing; nothing a user wrote is ever changed. */
import type * as z from 'zod';
import { isFields, type Path } from './unknown-json.js';

export interface AddOperation {
  op: 'add';
  path: string;
  value: unknown;
}

/** RFC 6901: a path as one text. */
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

/** The defaults of a schema that are missing at `path` of an object; none while what was sent breaks the schema. */
export function missingDefaults(schema: z.ZodType, sent: unknown, path: Path): AddOperation[] {
  const parsed = schema.safeParse(sent);
  return parsed.success ? added(sent, parsed.data, path) : [];
}

/** With all defaults, for comparisons; as it was sent where it breaks the schema. */
export function defaulted(schema: z.ZodType, sent: unknown): unknown {
  const parsed = schema.safeParse(sent);
  return parsed.success ? parsed.data : sent;
}
