/** The API server returns the fields of custom resources in alphabetical order, and drops undefined ones. */
export function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    fields.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, withSortedKeys(field)]),
  );
}

/** A sorted and deeply frozen copy, which can be handed out without copying it again. Frozen input is returned as it is. */
export function sortedAndFrozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(sortedAndFrozen));
  const names = Object.keys(value).toSorted();
  const copy: Record<string, unknown> = {};
  const fields: Record<string, unknown> = { ...value };
  for (const name of names) if (fields[name] !== undefined) copy[name] = sortedAndFrozen(fields[name]);
  return Object.freeze(copy);
}
