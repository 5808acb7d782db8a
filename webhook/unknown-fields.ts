/** Warnings about unknown fields: the API server drops them silently, so that a misspelled safety option would have no effect. */
import * as z from 'zod';
import { nearest } from '../program/nearest-name.js';
import { pathText } from './faults.js';
import { isFields, type Path } from './unknown-json.js';

/** The schema inside optional, default and nullable wrappers. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return unwrapped(schema.def.innerType);
  return schema;
}

/** One warning for each of the first `limit` unknown fields, with the most similar known field. */
export function unknownFields(schema: z.core.$ZodType, value: unknown, path: Path, limit: number): string[] {
  const warnings: string[] = [];
  for (const warning of warningsIn(schema, value, path)) {
    if (warnings.length >= limit) break;
    warnings.push(warning);
  }
  return warnings;
}

/** A generator, because an object may contain tens of thousands of unknown fields of which only the first few are reported. */
function* warningsIn(wrapped: z.core.$ZodType, value: unknown, path: Path): Generator<string> {
  const schema = unwrapped(wrapped);
  if (schema instanceof z.ZodArray && Array.isArray(value))
    for (const [index, one] of value.entries()) yield* warningsIn(schema.def.element, one, [...path, index]);
  if (!(schema instanceof z.ZodObject) || !isFields(value) || schema.def.catchall !== undefined) return;
  const shape: Readonly<Record<string, z.core.$ZodType | undefined>> = schema.shape;
  for (const [key, one] of Object.entries(value)) {
    const known = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (known) yield* warningsIn(known, one, [...path, key]);
    else yield warningText([...path, key], nearest(key, Object.keys(shape)));
  }
}

const warningText = (path: Path, suggestion: string | undefined): string =>
  `${pathText(path)}: unknown field, will be ignored${suggestion === undefined ? '' : `; did you mean "${suggestion}"?`}`;
