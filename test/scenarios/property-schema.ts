/** Arbitraries derived from the schemas, so that a new field is drawn as soon as it exists. */
import * as fc from 'fast-check';
import * as z from 'zod';

/** The part of JSON Schema that the schemas use. */
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

/** By field name: sample values for text and labels, whose meaning is not in the schema; mostly valid ones. */
export type SampleValues = Readonly<Record<string, readonly [unknown, ...unknown[]]>>;

/** Short durations, so that deadlines are both met and missed. */
const SECONDS = [-1, 0, 1, 5, 40, 200];
const NUMBERS = [0, 1, 2, 3];

function numbers(name: string, { minimum = 0 }: Shape): fc.Arbitrary<number> {
  const useful = (name.endsWith('Seconds') ? SECONDS : NUMBERS).filter(each => each >= minimum);
  return fc.constantFrom(...useful);
}

function fields({ properties = {}, required = [] }: Shape, samples: SampleValues): fc.Arbitrary<unknown> {
  const testCase = Object.entries(properties).map(([name, shape]) => [name, valueOf(name, shape, samples)] as const);
  return fc.record(Object.fromEntries(testCase), { requiredKeys: [...required] });
}

function valueOf(name: string, shape: Shape, samples: SampleValues): fc.Arbitrary<unknown> {
  const given = samples[name];
  if (given) return fc.constantFrom(...given);
  if (shape.anyOf) return fc.oneof(...shape.anyOf.map(each => valueOf(name, each, samples)));
  if (shape.enum) return fc.constantFrom(...shape.enum);
  switch (shape.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return numbers(name, shape);
    case 'array':
      return fc.array(valueOf(name, shape.items ?? {}, samples), { minLength: shape.minItems ?? 0, maxLength: 2 });
    case 'object':
      return fields(shape, samples);
    default:
      throw new Error(`no sample values for the field ${name}`);
  }
}

/** Mostly valid specs, and sometimes an invalid one. */
export const specsOf = (schema: z.ZodType, samples: SampleValues): fc.Arbitrary<object> =>
  valueOf('spec', z.toJSONSchema(schema, { io: 'input' }) as Shape, samples).map(spec => spec as object);
