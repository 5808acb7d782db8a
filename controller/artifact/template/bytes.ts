/**
 * Texts in the form that templates compute with: one character per byte of UTF-8. Lengths, positions and comparisons are then
 * those of bytes, as in Go, and a text may be cut in the middle of a character.
 */

export const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
export const fromBytes = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');
export const encodeRune = (rune: number): string => toBytes(String.fromCodePoint(isRune(rune) ? rune : BAD_RUNE));

/** U+FFFD, which replaces invalid UTF-8. */
export const BAD_RUNE = 0xfffd;
export const MAX_RUNE = 0x10ffff;

export const isRune = (rune: number): boolean => (rune >= 0 && rune < 0xd800) || (rune > 0xdfff && rune <= MAX_RUNE);

export interface Decoded {
  rune: number;
  size: number;
  valid: boolean;
}

const INVALID: Decoded = { rune: BAD_RUNE, size: 1, valid: false };

/** The smallest rune that may be encoded with that number of bytes. */
const SMALLEST = [0, 0, 0x80, 0x800, 0x10000];

/** Length of a character in bytes, by its first byte. */
function sizeFrom(first: number): number {
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

/** The character that starts at a byte. Each byte of invalid UTF-8 is a bad rune of its own. */
export function decodeRune(bytes: string, at: number): Decoded {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return { rune: first, size: 1, valid: true };
  const size = sizeFrom(first);
  if (first < 0xc2 || first > 0xf4 || at + size > bytes.length) return INVALID;
  let rune = first & (0x7f >> size);
  for (let i = 1; i < size; i += 1) {
    const next = bytes.charCodeAt(at + i);
    if ((next & 0xc0) !== 0x80) return INVALID;
    rune = (rune << 6) | (next & 0x3f);
  }
  return isRune(rune) && rune >= (SMALLEST[size] ?? 0) ? { rune, size, valid: true } : INVALID;
}

export function* runesOf(bytes: string): Generator<Decoded> {
  for (let at = 0; at < bytes.length; ) {
    const decoded = decodeRune(bytes, at);
    yield decoded;
    at += decoded.size;
  }
}

export function runeCount(bytes: string): number {
  let count = 0;
  for (let at = 0; at < bytes.length; count += 1) at += decodeRune(bytes, at).size;
  return count;
}

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

export const isPrintable = (rune: number): boolean => isRune(rune) && PRINTABLE.test(String.fromCodePoint(rune));

export const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');

/** How long a text may grow by single characters: each takes 32 bytes until the text is joined. */
const JOIN_LENGTH = 4096;

/** A text that is built from many short pieces. */
export class Pieces {
  readonly #joined: string[] = [];
  #recent: string[] = [];

  add(piece: string): void {
    this.#recent.push(piece);
    if (this.#recent.length < JOIN_LENGTH) return;
    this.#joined.push(this.#recent.join(''));
    this.#recent = [];
  }

  toString(): string {
    return [...this.#joined, ...this.#recent].join('');
  }
}
