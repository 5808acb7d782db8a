/** Limits on a JSON body, checked before it is parsed, so that parsing and validation stay within bounds of stack, time and memory. */

/** Reviews nest about twenty levels deep; recursive functions would exhaust the stack only far beyond this limit. */
export const MAX_DEPTH = 100;
/** A review of an update of an operation on 5,000 nodes, with the new and the old object, has 160,000 values. */
export const MAX_VALUES = 250_000;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** The index of the quote that ends the string whose contents start at `at`. */
function endOfString(body: Uint8Array, at: number): number {
  for (let index = at; index < body.length; index += 1) {
    if (body[index] === BACKSLASH) index += 1;
    else if (body[index] === QUOTE) return index;
  }
  return body.length;
}

/** Which limit a JSON text in UTF-8 exceeds, if any. Scans the text once without allocating memory. */
export function limitViolation(body: Uint8Array): string | undefined {
  let [depth, values] = [0, 0];
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfString(body, at + 1);
    else if (byte === COMMA) values += 1;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      values += 1;
      if (depth > MAX_DEPTH) return `the body is nested deeper than ${MAX_DEPTH} levels`;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
    if (values > MAX_VALUES) return `the body contains more than ${MAX_VALUES} values`;
  }
  return undefined;
}

/** The number of values in a JSON value, including itself; stops counting at `limit` + 1. */
export function countValues(value: unknown, limit: number): number {
  let count = 0;
  const pending = [value];
  while (pending.length > 0 && count <= limit) {
    const next = pending.pop();
    count += 1;
    if (typeof next === 'object' && next !== null) for (const inner of Object.values(next)) pending.push(inner);
  }
  return count;
}
