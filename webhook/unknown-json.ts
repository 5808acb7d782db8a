/** Careful hands for objects of which nothing is known yet: a wrong shape reads as absent. */

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export type Path = readonly PropertyKey[];

/** What stands at the end of a path; undefined where the path breaks off. */
export function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const key of path) {
    if (typeof key === 'number') here = listOf(here)[key];
    else here = Object.hasOwn(fieldsOf(here), key) ? fieldsOf(here)[String(key)] : undefined;
  }
  return here;
}
