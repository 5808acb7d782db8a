/** What stands between the `%` of a format and its verb, and how a text is laid out by it. */
import { runeCount, runesOf } from './bytes.js';

export interface Layout {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** `%#v`: values as they stand in a program. */
  asSource: boolean;
  width?: number;
  precision?: number;
}

export const PLAIN: Layout = { plus: false, minus: false, sharp: false, space: false, zero: false, asSource: false };

/** The sign in front of a number: flags ask for one, or for a space in its place, where the number is not negative. */
export function signOf(isNegative: boolean, { plus, space }: Layout): string {
  if (isNegative) return '-';
  if (plus) return '+';
  return space ? ' ' : '';
}

/** Brought to the width; zeros only ever go before. */
export function pad(bytes: string, { width = 0, minus, zero }: Layout): string {
  const missing = width - runeCount(bytes);
  if (missing <= 0) return bytes;
  return minus ? bytes + ' '.repeat(missing) : (zero ? '0' : ' ').repeat(missing) + bytes;
}

/** The first characters only, where a precision is given. */
export function truncated(bytes: string, { precision }: Layout): string {
  if (precision === undefined) return bytes;
  let end = 0;
  let left = precision;
  for (const { size } of runesOf(bytes)) {
    if (left === 0) break;
    left -= 1;
    end += size;
  }
  return bytes.slice(0, end);
}
