/** The functions `html`, `js` and `urlquery`, on bytes. */
import { BAD_RUNE, encodeRune, hex, isPrintable, Pieces, runesOf } from './bytes.js';

const HTML: Record<string, string> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

export const escapeHtml = (bytes: string): string =>
  bytes.replace(/["'&<>]/g, char => HTML[char] ?? char).replaceAll('\0', encodeRune(BAD_RUNE));

const JS: Record<string, string> = { '\\': '\\\\', "'": "\\'", '"': '\\"' };

const jsCode = (rune: number) => `\\u${hex(rune, 4).toUpperCase()}`;

/** Safe within a quoted string of a script in an HTML page. */
export function escapeJs(bytes: string): string {
  const escaped = new Pieces();
  let at = 0;
  for (const { rune, size } of runesOf(bytes)) {
    const char = bytes.slice(at, at + size);
    const mustEscape = rune < 0x80 ? rune < 0x20 || '<>&='.includes(char) : !isPrintable(rune);
    escaped.add(JS[char] ?? (mustEscape ? jsCode(rune) : char));
    at += size;
  }
  return escaped.toString();
}

export const escapeQuery = (bytes: string): string =>
  bytes.replace(/[^A-Za-z0-9\-_.~]/g, char => (char === ' ' ? '+' : `%${hex(char.charCodeAt(0), 2).toUpperCase()}`));
