/** What a body may hold before anybody parses it: the parser, the schemas and the memory after them stay within bounds. */

/** No review nests deeper than some twenty levels; functions that call themselves would run out of stack far below. */
export const MAX_DEPTH = 100;
/** An update of an operation over 5,000 nodes, the object and the one before it, holds 160,000 values. */
export const MAX_VALUES = 250_000;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Behind the end of a string that begins before `at`. */
function afterString(body: Uint8Array, at: number): number {
  for (let here = at; here < body.length; here += 1) {
    if (body[here] === BACKSLASH) here += 1;
    else if (body[here] === QUOTE) return here;
  }
  return body.length;
}

/** Why a text of JSON in UTF-8 is not worth parsing, if so. One pass, nothing is kept. */
export function limitViolation(body: Uint8Array): string | undefined {
  let [depth, values] = [0, 0];
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) at = afterString(body, at + 1);
    else if (byte === COMMA) values += 1;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      values += 1;
      if (depth > MAX_DEPTH) return `the body is nested deeper than ${MAX_DEPTH} levels`;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
    if (values > MAX_VALUES) return `the body holds more than ${MAX_VALUES} values`;
  }
  return undefined;
}

/** How many values there are inside, counted no further than one beyond `most`. */
export function countValues(value: unknown, most: number): number {
  let count = 0;
  const open = [value];
  while (open.length > 0 && count <= most) {
    const one = open.pop();
    count += 1;
    if (typeof one === 'object' && one !== null) for (const inner of Object.values(one)) open.push(inner);
  }
  return count;
}
