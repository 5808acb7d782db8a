/** Parses numbers, characters and quoted texts in Go syntax. */
import { encodeRune, isRune, MAX_RUNE, toBytes } from './bytes.js';
import { UnlocatedError } from './errors.js';
import { int, type Value } from './value.js';

const INT = /^([+-]?)(?:0[xX]((?:_?[0-9a-fA-F])+)|0[bB]((?:_?[01])+)|0[oO]?((?:_?[0-7])+)|(0|[1-9](?:_?[0-9])*))$/;
const DIGITS = String.raw`[0-9](?:_?[0-9])*`;
const FLOAT = new RegExp(String.raw`^[+-]?(?:${DIGITS}(?:\.(?:${DIGITS})?)?|\.${DIGITS})(?:[eE][+-]?${DIGITS})?$`);
const HEX_FLOAT =
  /^([+-]?)0[xX]((?:_?[0-9a-fA-F])*)(?:\.((?:[0-9a-fA-F]_?)*[0-9a-fA-F])?)?[pP]([+-]?[0-9](?:_?[0-9])*)$/;
const INT64_LIMIT = 2n ** 63n;

const plain = (text: string) => text.replaceAll('_', '');

/** A number, or the text of an integer that fits into uint64 and not into int64. */
export function parseNumber(text: string): Value | { is: 'huge' } {
  const whole = parseInteger(text);
  if (whole !== undefined) {
    if (whole < INT64_LIMIT && whole >= -INT64_LIMIT) return int(whole);
    if (whole < 2n * INT64_LIMIT && !/^[+-]/.test(text)) return { is: 'huge' };
    throw new UnlocatedError('integerOverflow');
  }
  const value = FLOAT.test(text) ? Number(plain(text)) : parseHexFloat(text);
  if (value === undefined || !Number.isFinite(value)) throw new UnlocatedError('badNumber');
  if (/[.eEpP]/.test(text)) return { is: 'float', value };
  throw new UnlocatedError('integerOverflow');
}

/** The digits with the prefix of their base that `BigInt` understands. */
function digitsIn([hexadecimal, binary, octal, decimal]: readonly (string | undefined)[]): string {
  if (hexadecimal) return `0x${hexadecimal}`;
  if (binary) return `0b${binary}`;
  return octal ? `0o${octal}` : (decimal ?? '');
}

function parseInteger(text: string): bigint | undefined {
  const [, sign, ...digits] = INT.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const value = BigInt(plain(digitsIn(digits)));
  return sign === '-' ? -value : value;
}

function parseHexFloat(text: string): number | undefined {
  const [, sign, whole = '', fraction = '', exponent] = HEX_FLOAT.exec(text) ?? [];
  if (exponent === undefined || whole + fraction === '') return undefined;
  const digits = plain(whole + fraction);
  /* More digits would be rounded twice, or not at all, and the result could differ from that of Go. */
  if (digits.length > 13) throw new UnlocatedError('tooPreciseNumber');
  const value = Number(`0x${digits}`) * 2 ** (Number(plain(exponent)) - 4 * plain(fraction).length);
  return sign === '-' ? -value : value;
}

const SIMPLE: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\'"]))|\\/g;

interface Escape {
  /** Either a single byte or a character. */
  byte?: number;
  rune?: number;
}

function escapeOf(match: RegExpMatchArray, quote: string): Escape {
  const [, x, u, long, octal, simple] = match;
  const bad = new UnlocatedError('badEscape');
  if (x !== undefined) return { byte: Number.parseInt(x, 16) };
  if (octal !== undefined) {
    const byte = Number.parseInt(octal, 8);
    if (byte > 255) throw bad;
    return { byte };
  }
  if (u !== undefined || long !== undefined) {
    const rune = Number.parseInt(u ?? long ?? '', 16);
    if (rune > MAX_RUNE || !isRune(rune)) throw bad;
    return { rune };
  }
  if (simple === undefined || (/['"]/.test(simple) && simple !== quote)) throw bad;
  return { rune: (SIMPLE[simple] ?? simple).charCodeAt(0) };
}

/** A text in double quotes, as bytes. */
export function unquote(text: string): string {
  const inner = text.slice(1, -1);
  let bytes = '';
  let at = 0;
  for (const match of inner.matchAll(ESCAPE)) {
    const { byte, rune } = escapeOf(match, '"');
    bytes += toBytes(inner.slice(at, match.index));
    bytes += byte === undefined ? encodeRune(rune ?? 0) : String.fromCharCode(byte);
    at = match.index + match[0].length;
  }
  return bytes + toBytes(inner.slice(at));
}

/** A text in backquotes has no escapes, and carriage returns are dropped. */
export const unquoteRaw = (text: string): string => toBytes(text.slice(1, -1).replaceAll('\r', ''));

/** The code point of a character in single quotes. */
export function unquoteChar(text: string): Value {
  const inner = text.slice(1, -1);
  const [escape] = inner.matchAll(ESCAPE);
  if (escape?.index === 0 && escape[0].length === inner.length) {
    const { byte, rune } = escapeOf(escape, "'");
    return int(byte ?? rune ?? 0);
  }
  const [char, ...more] = inner;
  if (char === undefined || more.length > 0 || char === '\\') throw new UnlocatedError('badCharacter');
  return int(char.codePointAt(0) ?? 0);
}
