/** The comparison functions `eq` and `lt`, and those derived from them. */
import { UnlocatedError } from './errors.js';
import type { Value } from './value.js';

const isWhole = (value: Value) => value.is === 'int' || value.is === 'byte';

function isEqual(a: Value, b: Value): boolean {
  if (a.is === 'nil' || b.is === 'nil') return a.is === b.is;
  if (a.is !== b.is && !(isWhole(a) && isWhole(b))) throw new UnlocatedError('incomparable');
  if (a.is === 'map') throw new UnlocatedError('incomparable');
  return a.value === b.value;
}

/** Whether the first value equals any of the others. */
export function equalsAny(first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new UnlocatedError('missingComparand');
  return others.some(other => isEqual(first, other));
}

export function isLess(a: Value, b: Value): boolean {
  for (const value of [a, b]) if (value.is === 'nil' || value.is === 'map') throw new UnlocatedError('incomparable');
  if (a.is === 'string' && b.is === 'string') return a.value < b.value;
  if (a.is === 'float' && b.is === 'float') return a.value < b.value;
  if ((a.is === 'int' || a.is === 'byte') && (b.is === 'int' || b.is === 'byte')) return a.value < b.value;
  if (a.is === 'bool' && b.is === 'bool') throw new UnlocatedError('incomparable');
  throw new UnlocatedError('incomparable');
}

export const isLessOrEqual = (a: Value, b: Value): boolean => isLess(a, b) || equalsAny(a, [b]);
