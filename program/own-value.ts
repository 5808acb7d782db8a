/**
 * The value that a table has for a key from outside, such as the name of a node. Every object also has the properties of its prototype: a node
 * may be named `constructor`.
 */
export const ownValue = <T>(table: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
