/**
 * Reads the response to a list while it arrives, and hands over one object after the other. A page is never in memory as a whole: every user
 * who may create objects decides how large they are, up to what the API server stores, and a page of them may be larger than the heap.
 */

/**
 * More than the API server sends for any object: it stores at most 1.5 MiB of one, and in JSON a character takes up to six times as much. A
 * response that exceeds it is no list of a Kubernetes API.
 */
export const MAX_OBJECT_BYTES = 16 * 1024 * 1024;
/** Everything of a list but its objects. */
const MAX_ENVELOPE_BYTES = 1024 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const isOpening = (byte: number): boolean => byte === 0x7b || byte === 0x5b;
const isClosing = (byte: number): boolean => byte === 0x7d || byte === 0x5d;

/** Bytes that arrive in chunks. */
class Pieces {
  #pieces: Buffer[] = [];
  #bytes = 0;
  readonly #limit: number;
  readonly #what: string;

  constructor(limit: number, what: string) {
    this.#limit = limit;
    this.#what = what;
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#limit) throw new Error(`${this.#what} of the list is larger than ${this.#limit} bytes`);
    this.#pieces.push(piece);
  }

  /** The JSON value of all pieces, which are forgotten. */
  take(): unknown {
    const [first] = this.#pieces;
    const whole = first && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return JSON.parse(whole.toString('utf8'));
  }
}

/** A list without its objects. */
export interface Envelope {
  metadata?: { resourceVersion?: string; continue?: string };
}

export class ListReader {
  readonly #onObject: (object: unknown) => void;
  readonly #object = new Pieces(MAX_OBJECT_BYTES, 'an object');
  readonly #envelope = new Pieces(MAX_ENVELOPE_BYTES, 'the envelope');
  #bytes = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** The last string directly in the list: before a bracket, the name of the array. */
  #name = '';
  #isInItems = false;

  constructor(onObject: (object: unknown) => void) {
    this.#onObject = onObject;
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    /* Where the current object or the current part of the envelope begins in this chunk; none between two objects. */
    let start: number | undefined = this.#isBetweenObjects() ? undefined : 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.#isInString) this.#readString(byte);
      else if (byte === QUOTE) this.#startString();
      else if (isOpening(byte)) start = this.#open(chunk, at, start);
      else if (isClosing(byte)) start = this.#close(chunk, at, start);
    }
    if (start === undefined) return;
    (this.#isInItems ? this.#object : this.#envelope).add(chunk.subarray(start));
  }

  /** To be called when the response is complete. */
  end(): Envelope {
    if (this.#depth !== 0 || this.#isInString) throw new Error('the list is incomplete');
    const envelope = this.#envelope.take();
    return typeof envelope === 'object' && envelope !== null ? envelope : {};
  }

  #isBetweenObjects(): boolean {
    return this.#isInItems && this.#depth === 2;
  }

  #startString(): void {
    this.#isInString = true;
    if (this.#depth === 1) this.#name = '';
  }

  #readString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isInString = false;
    else if (this.#depth === 1 && this.#name.length < 'items'.length + 1) this.#name += String.fromCharCode(byte);
  }

  #open(chunk: Buffer, at: number, start: number | undefined): number | undefined {
    const isFirstOfObject = this.#isBetweenObjects();
    this.#depth += 1;
    if (isFirstOfObject) return at;
    if (this.#depth !== 2 || this.#name !== 'items' || chunk[at] !== 0x5b) return start;
    this.#envelope.add(chunk.subarray(start, at + 1));
    this.#isInItems = true;
    return undefined;
  }

  #close(chunk: Buffer, at: number, start: number | undefined): number | undefined {
    this.#depth -= 1;
    if (!this.#isInItems) return start;
    if (this.#depth === 1) {
      this.#isInItems = false;
      this.#name = '';
      return at;
    }
    if (this.#depth !== 2) return start;
    this.#object.add(chunk.subarray(start, at + 1));
    this.#onObject(this.#object.take());
    return undefined;
  }
}
