/**
 * Texts that users can make long: messages, field paths, label keys. Each is cut where it is made; and once more where it leaves the program
 * (status, Event, log, answer), so that one that was forgotten cannot make an object that the API server refuses, or a log line of megabytes.
 */

/** Longest message, in bytes of UTF-8: that of the note of an Event. */
export const MAX_TEXT_BYTES = 1024;

/** The most bytes that UTF-8 needs for one UTF-16 code unit. */
const BYTES_PER_UNIT = 3;

/** The note is part of the length. */
const note = (omitted: number) => ` … (${omitted} more bytes)`;

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
const isLowSurrogate = (unit: number) => unit >= 0xdc00 && unit < 0xe000;

/** The longest beginning of whole characters that has at most `maxBytes` bytes. */
function startOf(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const char of text.slice(0, maxBytes)) {
    bytes += Buffer.byteLength(char);
    if (bytes > maxBytes) break;
    end += char.length;
  }
  /* The slice may have ended within a character. */
  return isHighSurrogate(text.charCodeAt(end - 1)) ? text.slice(0, end - 1) : text.slice(0, end);
}

/** The longest end of whole characters that has at most `maxBytes` bytes. */
function endOf(text: string, maxBytes: number): string {
  let start = Math.max(text.length - maxBytes, 0);
  if (isLowSurrogate(text.charCodeAt(start))) start += 1;
  let bytes = Buffer.byteLength(text.slice(start));
  while (bytes > maxBytes) {
    const char = String.fromCodePoint(text.codePointAt(start) ?? 0);
    bytes -= Buffer.byteLength(char);
    start += char.length;
  }
  return text.slice(start);
}

const fits = (text: string, maxBytes: number) =>
  text.length * BYTES_PER_UNIT <= maxBytes || (text.length <= maxBytes && Buffer.byteLength(text) <= maxBytes);

/** At most `maxBytes` bytes of a text: its beginning, and how much was left out. */
export function cutText(text: string, maxBytes = MAX_TEXT_BYTES): string {
  if (fits(text, maxBytes)) return text;
  const total = Buffer.byteLength(text);
  const kept = startOf(text, Math.max(maxBytes - Buffer.byteLength(note(total)), 0));
  return `${kept}${note(total - Buffer.byteLength(kept))}`;
}

/** As `cutText`, but keeps the end, which is where a log has the error. */
export function cutStart(text: string, maxBytes = MAX_TEXT_BYTES): string {
  if (fits(text, maxBytes)) return text;
  const total = Buffer.byteLength(text);
  const before = (omitted: number) => `(${omitted} bytes before) … `;
  const kept = endOf(text, Math.max(maxBytes - Buffer.byteLength(before(total)), 0));
  return `${before(total - Buffer.byteLength(kept))}${kept}`;
}

/** Lists in logs and deeper objects are cut as well. */
const MAX_ITEMS = 40;
const MAX_DEPTH = 4;

/** All texts in a value, and names of fields, each cut; long lists and deep objects end early. For logs. */
export function cutTexts(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cutText(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map(item => cutTexts(item, depth + 1));
    return value.length > MAX_ITEMS ? [...items, `… (${value.length - MAX_ITEMS} more)`] : items;
  }
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ITEMS)
      .map(([key, field]) => [cutText(key, 128), cutTexts(field, depth + 1)]),
  );
}
