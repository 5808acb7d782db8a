/** The comparison functions `eq` and `lt`, and those derived from them. */
import { UnlocatedError } from './errors.js';
import { typeName, type Value } from './value.js';

const isWhole = (value: Value) => value.is === 'int' || value.is === 'byte';

const differ = (a: Value, b: Value) =>
  new UnlocatedError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);

function isEqual(a: Value, b: Value): boolean {
  if (a.is === 'nil' || b.is === 'nil') return a.is === b.is;
  if (a.is !== b.is && !(isWhole(a) && isWhole(b))) throw differ(a, b);
  if (a.is === 'map') throw new UnlocatedError(`non-comparable type ${typeName(a)}`);
  return a.value === b.value;
}

/** Whether the first value equals any of the others. */
export function equalsAny(first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new UnlocatedError('missing argument for comparison');
  return others.some(other => isEqual(first, other));
}

export function isLess(a: Value, b: Value): boolean {
  for (const value of [a, b])
    if (value.is === 'nil' || value.is === 'map') throw new UnlocatedError('invalid type for comparison');
  if (a.is === 'string' && b.is === 'string') return a.value < b.value;
  if (a.is === 'float' && b.is === 'float') return a.value < b.value;
  if ((a.is === 'int' || a.is === 'byte') && (b.is === 'int' || b.is === 'byte')) return a.value < b.value;
  if (a.is === 'bool' && b.is === 'bool') throw new UnlocatedError('invalid type for comparison');
  throw differ(a, b);
}

export const isLessOrEqual = (a: Value, b: Value): boolean => isLess(a, b) || equalsAny(a, [b]);
