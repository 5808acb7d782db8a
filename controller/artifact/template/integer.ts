/** Formats integers for `printf`. */
import { BAD_RUNE, encodeRune, hex, isPrintable, isRune, MAX_RUNE } from './bytes.js';
import { type Layout, pad, signOf } from './layout.js';
import { quotedRune } from './quote.js';

const BASES: Record<string, number> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

/** Undefined if there is no such verb for integers. */
export function formatInteger(value: bigint, verb: string, layout: Layout, signed: boolean): string | undefined {
  if (verb === 'c') return pad(encodeRune(runeOf(value)), layout);
  if (verb === 'q') return pad(quotedRune(quotableRune(value), layout.plus), layout);
  if (verb === 'U') return pad(codePoint(value, layout), { ...layout, zero: false });
  if (verb === 'v' && layout.asSource && !signed) return digits(value, 16, 'v', { ...layout, sharp: true });
  const base = BASES[verb];
  return base === undefined ? undefined : digits(value, base, verb, layout);
}

const runeOf = (value: bigint) => (value < 0n || value > BigInt(MAX_RUNE) ? BAD_RUNE : Number(value));
const quotableRune = (value: bigint) => (isRune(runeOf(value)) ? runeOf(value) : BAD_RUNE);

function codePoint(value: bigint, { sharp, precision = 0 }: Layout): string {
  const unsigned = BigInt.asUintN(64, value);
  const code = `U+${unsigned.toString(16).toUpperCase().padStart(Math.max(precision, 4), '0')}`;
  const isShown = sharp && unsigned <= BigInt(MAX_RUNE) && isPrintable(Number(unsigned));
  return isShown ? `${code} '${encodeRune(Number(unsigned))}'` : code;
}

function prefixOf(base: number, verb: string, body: string): string {
  if (base === 2) return '0b';
  if (base === 8) return body.startsWith('0') ? '' : '0';
  if (base !== 16) return '';
  return verb === 'X' ? '0X' : '0x';
}

function digits(value: bigint, base: number, verb: string, layout: Layout): string {
  const { precision, width, zero, minus, plus, space, sharp } = layout;
  const unpadded = { ...layout, zero: false };
  if (precision === 0 && value === 0n) return pad('', unpadded);
  const negative = value < 0n;
  const signWidth = negative || plus || space ? 1 : 0;
  const zeros = precision ?? (zero && !minus && width !== undefined ? width - signWidth : 0);
  const body = (negative ? -value : value).toString(base).padStart(zeros, '0');
  const cased = verb === 'X' ? body.toUpperCase() : body;
  const prefix = (verb === 'O' ? '0o' : '') + (sharp ? prefixOf(base, verb, cased) : '');
  return pad(signOf(negative, layout) + prefix + cased, unpadded);
}

/** The bytes of a text in hexadecimal. */
export function formatHex(bytes: string, verb: 'x' | 'X', layout: Layout): string {
  const { precision = bytes.length, sharp, space } = layout;
  const shown = Array.from(bytes.slice(0, precision), byte => hex(byte.charCodeAt(0), 2));
  const mark = sharp && shown.length > 0 ? '0x' : '';
  const text = mark + shown.join(space ? ` ${mark}` : '');
  return pad(verb === 'X' ? text.toUpperCase() : text, layout);
}
