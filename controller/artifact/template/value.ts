/** The values that a template computes with. */
import { toBytes } from './bytes.js';

export type Value =
  | { is: 'nil' }
  | { is: 'bool'; value: boolean }
  | { is: 'int'; value: bigint }
  /** One byte of a text. */
  | { is: 'byte'; value: bigint }
  | { is: 'float'; value: number }
  /** In the form of `bytes.ts`. */
  | { is: 'string'; value: string }
  /** The values of the template by name, sorted by name. */
  | { is: 'map'; value: ReadonlyMap<string, string> };

export const NIL: Value = { is: 'nil' };
export const bool = (value: boolean): Value => ({ is: 'bool', value });
export const int = (value: number | bigint): Value => ({ is: 'int', value: BigInt(value) });
export const string = (value: string): Value => ({ is: 'string', value });

/** Sorted by the bytes of the names. */
export function mapOf(values: Readonly<Record<string, string>>): Value {
  const entries = Object.entries(values).map(([key, value]) => [toBytes(key), toBytes(value)] as const);
  return { is: 'map', value: new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

const TYPE_NAMES = {
  nil: 'nil',
  bool: 'bool',
  int: 'int',
  byte: 'uint8',
  float: 'float64',
  string: 'string',
  map: 'map[string]string',
} as const;

/** The Go name of the type, which `printf` can write. */
export const typeName = (value: Value): string => TYPE_NAMES[value.is];

/** Whether `if` takes a value for true: everything except nil, false, zero and empty. */
export function isTrue(value: Value): boolean {
  switch (value.is) {
    case 'nil':
      return false;
    case 'bool':
      return value.value;
    case 'int':
    case 'byte':
      return value.value !== 0n;
    case 'float':
      return value.value !== 0;
    case 'string':
      return value.value !== '';
    default:
      return value.value.size > 0;
  }
}
