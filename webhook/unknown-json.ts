/** Type-safe access to JSON of unknown shape: a value of the wrong type reads as absent. */

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export type Path = readonly PropertyKey[];

/** The value at a path; undefined when the path does not exist. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const key of path) {
    if (typeof key === 'number') current = listOf(current)[key];
    else current = Object.hasOwn(fieldsOf(current), key) ? fieldsOf(current)[String(key)] : undefined;
  }
  return current;
}

const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, index) => sameJson(value, b[index]));

/**
 * Whether two JSON values are equal; the order of fields does not count. A field that is undefined equals an absent one. Several times as fast
 * as `isDeepStrictEqual`, which matters for the 100,000 values of a large update. The parser limits the depth.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && sameList(a, b);
  if (!isFields(a) || !isFields(b)) return false;
  const known = Object.keys(a);
  if (known.some(key => !sameJson(a[key], Object.hasOwn(b, key) ? b[key] : undefined))) return false;
  return Object.keys(b).every(key => b[key] === undefined || Object.hasOwn(a, key));
}
