/** Fields of custom resources come back in the order of the alphabet; what is undefined does not come back. */
export function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    fields.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, withSortedKeys(field)]),
  );
}

/** The same, and nobody can change it any more, so that it can be handed out without a copy. What is frozen already is taken as it is. */
export function sortedAndFrozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(sortedAndFrozen));
  const names = Object.keys(value).toSorted();
  const copy: Record<string, unknown> = {};
  const fields: Record<string, unknown> = { ...value };
  for (const name of names) if (fields[name] !== undefined) copy[name] = sortedAndFrozen(fields[name]);
  return Object.freeze(copy);
}
