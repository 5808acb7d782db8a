/** Generators for parts of random specs, with valid and invalid values. */
import * as fc from 'fast-check';

export type Spec = Record<string, unknown>;
export type Draw = fc.Arbitrary<unknown>;

export const of = (...values: unknown[]): Draw => fc.constantFrom(...values);

/** An optional field, mostly omitted or valid: a spec with ten invalid fields tests no more than one with two. */
export const field = (valid: Draw, invalid: Draw): Draw =>
  fc.oneof(
    { weight: 10, arbitrary: of(undefined) },
    { weight: 9, arbitrary: valid },
    { weight: 1, arbitrary: invalid },
  );
/** A required field, mostly valid. */
export const always = (valid: Draw, invalid: Draw): Draw =>
  fc.oneof(
    { weight: 16, arbitrary: valid },
    { weight: 1, arbitrary: invalid },
    { weight: 1, arbitrary: of(undefined) },
  );

/** An object without the omitted fields, as in JSON. */
export const spec = (fields: Record<string, Draw>): fc.Arbitrary<Spec> =>
  fc.record(fields).map(drawn => JSON.parse(JSON.stringify(drawn)) as Spec);

export const text = fc.oneof(of('', 'a', '/host', '0', 'true', 'ä€😀', 'a\nb', '\u2028'), fc.string({ maxLength: 12 }));
export const flag = field(fc.boolean(), of('true', 0, 1, [], {}));
export const texts = field(fc.array(text, { maxLength: 3 }), of('a', 7, {}, [1], [null], [['a']]));
