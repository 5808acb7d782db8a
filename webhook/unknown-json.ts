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
