import { MAX_OBJECT_BYTES } from './list-reader.js';

const NEWLINE = 0x0a;

/**
 * Splits a stream of chunks into its non-empty lines. An unterminated last line is dropped, because it is half a watch event. Throws at a line
 * that is longer than any object.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const each of chunks) {
    let rest = typeof each === 'string' ? Buffer.from(each) : each;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...pieces, rest.subarray(0, end)]).toString('utf8');
      rest = rest.subarray(end + 1);
      pieces = [];
      bytes = 0;
      if (line !== '') yield line;
    }
    bytes += rest.length;
    if (bytes > MAX_OBJECT_BYTES) throw new Error(`a line of the response is longer than ${MAX_OBJECT_BYTES} bytes`);
    if (rest.length > 0) pieces.push(rest);
  }
}
