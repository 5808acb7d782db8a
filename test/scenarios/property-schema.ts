/** Specs drawn from their schema itself: a new field is drawn as soon as it is there. */
import * as fc from 'fast-check';
import * as z from 'zod';

/** As much of JSON Schema as our schemas use. */
interface Shape {
  type?: string;
  enum?: readonly string[];
  anyOf?: readonly Shape[];
  minimum?: number;
  properties?: Readonly<Record<string, Shape>>;
  required?: readonly string[];
  items?: Shape;
  minItems?: number;
}

/** What a text or a set of labels means is not in the schema: a few of each, and one that is wrong. By name of the field. */
export type SampleValues = Readonly<Record<string, readonly [unknown, ...unknown[]]>>;

/** Short ones, so that a deadline is met as often as missed. */
const SECONDS = [-1, 0, 1, 5, 40, 200];
const NUMBERS = [0, 1, 2, 3];

function numbers(name: string, { minimum = 0 }: Shape): fc.Arbitrary<number> {
  const useful = (name.endsWith('Seconds') ? SECONDS : NUMBERS).filter(each => each >= minimum);
  return fc.constantFrom(...useful);
}

function fields({ properties = {}, required = [] }: Shape, words: SampleValues): fc.Arbitrary<unknown> {
  const drawn = Object.entries(properties).map(([name, shape]) => [name, valueOf(name, shape, words)] as const);
  return fc.record(Object.fromEntries(drawn), { requiredKeys: [...required] });
}

function valueOf(name: string, shape: Shape, words: SampleValues): fc.Arbitrary<unknown> {
  const given = words[name];
  if (given) return fc.constantFrom(...given);
  if (shape.anyOf) return fc.oneof(...shape.anyOf.map(each => valueOf(name, each, words)));
  if (shape.enum) return fc.constantFrom(...shape.enum);
  switch (shape.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return numbers(name, shape);
    case 'array':
      return fc.array(valueOf(name, shape.items ?? {}, words), { minLength: shape.minItems ?? 0, maxLength: 2 });
    case 'object':
      return fields(shape, words);
    default:
      throw new Error(`no words are known for ${name}`);
  }
}

/** Any object that the schema may let in, and now and then one that it does not. */
export const specsOf = (schema: z.ZodType, words: SampleValues): fc.Arbitrary<object> =>
  valueOf('spec', z.toJSONSchema(schema, { io: 'input' }) as Shape, words).map(spec => spec as object);
