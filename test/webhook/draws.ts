/** Pieces of specs drawn at random, right and wrong ones. */
import * as fc from 'fast-check';

export type Spec = Record<string, unknown>;
export type Draw = fc.Arbitrary<unknown>;

export const of = (...values: unknown[]): Draw => fc.constantFrom(...values);

/** Mostly left out or right: a wish with ten wrong fields says no more than one with two. */
export const field = (right: Draw, wrong: Draw): Draw =>
  fc.oneof({ weight: 10, arbitrary: of(undefined) }, { weight: 9, arbitrary: right }, { weight: 1, arbitrary: wrong });
export const always = (right: Draw, wrong: Draw): Draw =>
  fc.oneof({ weight: 16, arbitrary: right }, { weight: 1, arbitrary: wrong }, { weight: 1, arbitrary: of(undefined) });

/** Without the fields that were left out, as JSON has them. */
export const spec = (fields: Record<string, Draw>): fc.Arbitrary<Spec> =>
  fc.record(fields).map(drawn => JSON.parse(JSON.stringify(drawn)) as Spec);

export const text = fc.oneof(of('', 'a', '/host', '0', 'true', 'ä€😀', 'a\nb', '\u2028'), fc.string({ maxLength: 12 }));
export const flag = field(fc.boolean(), of('true', 0, 1, [], {}));
export const texts = field(fc.array(text, { maxLength: 3 }), of('a', 7, {}, [1], [null], [['a']]));
