/** The flags, width and precision between the `%` of a format and its verb, and how they are applied to a text. */
import { runeCount, runesOf } from './bytes.js';

export interface Layout {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** `%#v`: values in Go syntax. */
  asSource: boolean;
  width?: number;
  precision?: number;
}

export const PLAIN: Layout = { plus: false, minus: false, sharp: false, space: false, zero: false, asSource: false };

/** The sign of a number. For numbers that are not negative, flags request a plus sign or a space. */
export function signOf(isNegative: boolean, { plus, space }: Layout): string {
  if (isNegative) return '-';
  if (plus) return '+';
  return space ? ' ' : '';
}

/** Pads a text to the width. Zeros are only added at the start. */
export function pad(bytes: string, { width = 0, minus, zero }: Layout): string {
  const missing = width - runeCount(bytes);
  if (missing <= 0) return bytes;
  return minus ? bytes + ' '.repeat(missing) : (zero ? '0' : ' ').repeat(missing) + bytes;
}

/** Limits a text to the number of characters that the precision gives. */
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
