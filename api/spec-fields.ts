/** What the programs have to know about a field of a spec beside its type. No file outside this folder lists fields by name for that. */
import * as z from 'zod';

/** Not the global registry of zod: what that one holds is printed into the CRDs. */
const fieldRules = z.registry<{ changeable: true }>();

/** Marks a field that may change after the operation has started. Wrap the finished schema: `optional` and `default` create a new one. */
export function changeable<Field extends z.ZodType>(field: Field): Field {
  fieldRules.add(field, { changeable: true });
  return field;
}

const shapeOf = (spec: z.ZodType): z.ZodRawShape => (spec instanceof z.ZodObject ? spec.shape : {});

/** The name may come from an object of a user, and need not be a field at all. */
export function isChangeable(spec: z.ZodType, field: string): boolean {
  const shape = shapeOf(spec);
  const schema = Object.hasOwn(shape, field) ? shape[field] : undefined;
  return schema !== undefined && fieldRules.get(schema)?.changeable === true;
}

/** Names of the fields that both specs have. */
export function sharedFields<A extends object, B extends object>(
  first: z.ZodType<A>,
  second: z.ZodType<B>,
): (keyof A & keyof B & string)[] {
  const other = shapeOf(second);
  return Object.keys(shapeOf(first)).filter((field): field is keyof A & keyof B & string =>
    Object.hasOwn(other, field),
  );
}
