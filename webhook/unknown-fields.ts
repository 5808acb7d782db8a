/** Fields that no schema knows: the API server drops them in silence, and a misspelt guard would be no guard. */
import * as z from 'zod';
import { nearest } from '../program/nearest.js';
import { pathText } from './faults.js';
import { isFields, type Path } from './raw.js';

/** The schema inside optional, default and the like. */
function inner(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return inner(schema.def.innerType);
  return schema;
}

/** One sentence for each field that is not known, with the name that was probably meant. */
export function unknownFields(wrapped: z.core.$ZodType, value: unknown, path: Path): string[] {
  const schema = inner(wrapped);
  if (schema instanceof z.ZodArray && Array.isArray(value))
    return value.flatMap((one: unknown, index) => unknownFields(schema.def.element, one, [...path, index]));
  if (!(schema instanceof z.ZodObject) || !isFields(value) || schema.def.catchall !== undefined) return [];
  const shape: Readonly<Record<string, z.core.$ZodType | undefined>> = schema.shape;
  return Object.entries(value).flatMap(([key, one]) => {
    const known = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (known) return unknownFields(known, one, [...path, key]);
    const meant = nearest(key, Object.keys(shape));
    const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
    return [`${pathText([...path, key])}: unknown field, it has no effect${hint}`];
  });
}
