/** Limits on a JSON text, checked before it is parsed, so that parsing and validation stay within bounds of stack, time and memory. */

/** Reviews nest about twenty levels deep; recursive functions would exhaust the stack only far beyond this limit. */
export const MAX_DEPTH = 100;
/** A review of an update of an operation on 5,000 nodes, with the new and the old object, has 160,000 values. */
export const MAX_VALUES = 250_000;

/** Limits on a text inside an object. The API server takes 256 KiB of annotations, and the webhook 20,000 values in a spec. */
export const NESTED_LIMITS: TextLimits = { bytes: 256 * 1024, values: 20_000 };

export interface TextLimits {
  bytes: number;
  values: number;
}

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
export function limitViolation(body: Uint8Array, maxValues = MAX_VALUES): string | undefined {
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
    if (values > maxValues) return `the body contains more than ${maxValues} values`;
  }
  return undefined;
}

/** The value of a JSON text that is part of an object; undefined when it is no JSON or exceeds a limit. */
export function parseNested(text: string, { bytes, values }: TextLimits = NESTED_LIMITS): unknown {
  /* No text in UTF-8 has fewer bytes than UTF-16 code units, so that a longer one is not even copied. */
  if (text.length > bytes) return undefined;
  const body = Buffer.from(text);
  if (body.length > bytes || limitViolation(body, values) !== undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The number of values in a JSON value, including itself; stops counting at `limit` + 1. */
export function countValues(value: unknown, limit: number): number {
  let count = 0;
  const pending = [value];
  while (pending.length > 0 && count <= limit) {
    const next = pending.pop();
    count += 1;
    if (typeof next !== 'object' || next === null) continue;
    for (const inner of Object.values(next)) {
      pending.push(inner);
      if (pending.length > limit) break;
    }
  }
  return count;
}
