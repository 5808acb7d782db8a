/** Fields that no schema knows: the API server drops them in silence, and a misspelt guard would be no guard. */
import * as z from 'zod';
import { nearest } from '../program/nearest.js';
import { pathText } from './faults.js';
import { isFields, type Path } from './unknown-json.js';

/** The schema inside optional, default and the like. */
function inner(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return inner(schema.def.innerType);
  return schema;
}

/** One sentence for each of the first so many fields that are not known, with the name that was probably meant. */
export function unknownFields(schema: z.core.$ZodType, value: unknown, path: Path, most: number): string[] {
  const sentences: string[] = [];
  for (const sentence of sentencesOf(schema, value, path)) {
    if (sentences.length >= most) break;
    sentences.push(sentence);
  }
  return sentences;
}

/** Lazily: an object may hold tens of thousands of such fields, and nobody reads on after the first few. */
function* sentencesOf(wrapped: z.core.$ZodType, value: unknown, path: Path): Generator<string> {
  const schema = inner(wrapped);
  if (schema instanceof z.ZodArray && Array.isArray(value))
    for (const [index, one] of value.entries()) yield* sentencesOf(schema.def.element, one, [...path, index]);
  if (!(schema instanceof z.ZodObject) || !isFields(value) || schema.def.catchall !== undefined) return;
  const shape: Readonly<Record<string, z.core.$ZodType | undefined>> = schema.shape;
  for (const [key, one] of Object.entries(value)) {
    const known = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (known) yield* sentencesOf(known, one, [...path, key]);
    else yield sentence([...path, key], nearest(key, Object.keys(shape)));
  }
}

const sentence = (path: Path, meant: string | undefined): string =>
  `${pathText(path)}: unknown field, it has no effect${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
