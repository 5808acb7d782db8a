/** Quotes texts and characters in Go syntax. */
import { encodeRune, hex, isPrintable, Pieces, runesOf } from './bytes.js';

const SIMPLE: Record<number, string> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  92: '\\\\',
};

function escaped(rune: number, quote: string, asciiOnly: boolean): string {
  if (rune === quote.charCodeAt(0)) return `\\${quote}`;
  const simple = SIMPLE[rune];
  if (simple) return simple;
  if (isPrintable(rune) && (rune < 0x80 || !asciiOnly)) return encodeRune(rune);
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  return rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`;
}

export function quoted(bytes: string, asciiOnly: boolean): string {
  const inner = new Pieces();
  let at = 0;
  for (const { rune, size, valid } of runesOf(bytes)) {
    inner.add(valid ? escaped(rune, '"', asciiOnly) : `\\x${hex(bytes.charCodeAt(at), 2)}`);
    at += size;
  }
  return `"${inner.toString()}"`;
}

export const quotedRune = (rune: number, asciiOnly: boolean): string => `'${escaped(rune, "'", asciiOnly)}'`;

const BYTE_ORDER_MARK = 0xfeff;

/** Whether a text can be written in backquotes, where nothing is escaped. */
export function canBackquote(bytes: string): boolean {
  for (const { rune, valid } of runesOf(bytes))
    if (!valid || rune === BYTE_ORDER_MARK || rune === 0x60 || rune === 0x7f || (rune < 0x20 && rune !== 9))
      return false;
  return true;
}
