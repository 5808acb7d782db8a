/** The functions `printf`, `print` and `println`. As in Go, a mismatch of format and arguments is written into the text instead of being an error. */
import { encodeRune, decodeRune } from './bytes.js';
import { Writer } from './budget.js';
import { formatValue } from './format-value.js';
import { type Layout, PLAIN } from './layout.js';
import { typeName, type Value } from './value.js';

/** Larger widths and precisions are treated as errors, as in Go. */
const MAX_WIDTH = 1_000_000;
const MAX_INDEX_DIGITS = 7;

const FLAGS: Record<string, keyof Layout> = { '#': 'sharp', '0': 'zero', '+': 'plus', '-': 'minus', ' ': 'space' };

export const printf = (format: string, args: readonly Value[]): string => new Printer(format, args).print();

const shown = (value: Value) => formatValue(value, 'v', PLAIN);

/** Adds a space between two values if neither is a text. */
export function print(args: readonly Value[]): string {
  const writer = new Writer();
  args.forEach((arg, index) => {
    const before = args[index - 1];
    if (before && before.is !== 'string' && arg.is !== 'string') writer.add(' ');
    writer.add(shown(arg));
  });
  return writer.toString();
}

export function println(args: readonly Value[]): string {
  const writer = new Writer();
  args.forEach((arg, index) => writer.add(index === 0 ? shown(arg) : ` ${shown(arg)}`));
  writer.add('\n');
  return writer.toString();
}

class Printer {
  readonly #format: string;
  readonly #args: readonly Value[];
  readonly #out = new Writer();
  #at = 0;
  /** Index of the argument for the next verb. */
  #arg = 0;
  /** The format has explicit argument indexes. */
  #reordered = false;
  /** All explicit indexes of the directive are valid. */
  #hasValidIndex = true;
  #isAfterIndex = false;
  /** The next closing bracket at or after `#at`; -1 if there is none. */
  #close: number;

  constructor(format: string, args: readonly Value[]) {
    this.#format = format;
    this.#close = format.indexOf(']');
    this.#args = args;
  }

  print(): string {
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      const end = percent < 0 ? this.#format.length : percent;
      this.#out.add(this.#format.slice(this.#at, end));
      this.#at = end + 1;
      if (percent >= 0) this.#directive();
    }
    if (!this.#reordered && this.#arg < this.#args.length) this.#extra();
    return this.#out.toString();
  }

  #directive(): void {
    this.#hasValidIndex = true;
    this.#isAfterIndex = false;
    const layout = this.#flags();
    this.#explicitIndex();
    this.#width(layout);
    this.#precision(layout);
    if (!this.#isAfterIndex) this.#explicitIndex();
    if (this.#at >= this.#format.length) this.#out.add('%!(NOVERB)');
    else this.#verb(layout);
  }

  #flags(): Layout {
    const layout = { ...PLAIN };
    for (; this.#at < this.#format.length; this.#at += 1) {
      const flag = FLAGS[this.#format.charAt(this.#at)];
      if (flag === undefined) break;
      Object.assign(layout, { [flag]: true });
    }
    return layout;
  }

  /** `[n]`: an explicit index of the next argument. */
  #explicitIndex(): void {
    if (this.#format[this.#at] !== '[') {
      this.#isAfterIndex = false;
      return;
    }
    this.#reordered = true;
    const close = this.#closingBracket();
    const inner = close < 0 || close - this.#at > MAX_INDEX_DIGITS + 1 ? '' : this.#format.slice(this.#at + 1, close);
    this.#at = close < 0 ? this.#at + 1 : close + 1;
    this.#isAfterIndex = /^\d+$/.test(inner);
    const index = this.#isAfterIndex ? Number(inner) - 1 : -1;
    const exists = index >= 0 && index < this.#args.length;
    if (exists) this.#arg = index;
    else this.#hasValidIndex = false;
  }

  /** Searched once: a format may have many brackets that are never closed. */
  #closingBracket(): number {
    if (this.#close >= 0 && this.#close < this.#at) this.#close = this.#format.indexOf(']', this.#at);
    return this.#close;
  }

  #width(layout: Layout): void {
    if (this.#format[this.#at] === '*') {
      const width = this.#star();
      if (width === undefined) this.#out.add('%!(BADWIDTH)');
      else if (width < 0) Object.assign(layout, { minus: true, zero: false });
      layout.width = width === undefined ? undefined : Math.abs(width);
      return;
    }
    layout.width = this.#digits();
    if (this.#isAfterIndex && layout.width !== undefined) this.#hasValidIndex = false;
  }

  #precision(layout: Layout): void {
    if (this.#format[this.#at] !== '.' || this.#at + 1 >= this.#format.length) return;
    this.#at += 1;
    if (this.#isAfterIndex) this.#hasValidIndex = false;
    this.#explicitIndex();
    if (this.#format[this.#at] !== '*') {
      layout.precision = this.#digits() ?? 0;
      return;
    }
    const precision = this.#star();
    if (precision === undefined || precision < 0) this.#out.add('%!(BADPREC)');
    else layout.precision = precision;
  }

  /** `*`: a width or precision from the arguments. */
  #star(): number | undefined {
    this.#at += 1;
    this.#isAfterIndex = false;
    const arg = this.#args[this.#arg];
    if (arg === undefined) return undefined;
    this.#arg += 1;
    if (arg.is !== 'int' && arg.is !== 'byte') return undefined;
    const value = Number(arg.value);
    return Math.abs(value) > MAX_WIDTH ? undefined : value;
  }

  #digits(): number | undefined {
    const start = this.#at;
    let value = 0;
    for (; /[0-9]/.test(this.#format.charAt(this.#at)); this.#at += 1) {
      if (value > MAX_WIDTH) {
        this.#at = this.#format.length;
        return undefined;
      }
      value = value * 10 + Number(this.#format[this.#at]);
    }
    return this.#at === start ? undefined : value;
  }

  #verb(layout: Layout): void {
    const { rune, size } = decodeRune(this.#format, this.#at);
    const verb = encodeRune(rune);
    this.#at += size;
    const arg = this.#args[this.#arg];
    if (verb === '%') return this.#out.add('%');
    if (!this.#hasValidIndex) return this.#out.add(`%!${verb}(BADINDEX)`);
    if (arg === undefined) return this.#out.add(`%!${verb}(MISSING)`);
    this.#arg += 1;
    const isSource = verb === 'v' || verb === 'w';
    /* For these two verbs the flags `#` and `+` have another meaning. */
    const effective = isSource ? { ...layout, asSource: layout.sharp, sharp: false, plus: false } : layout;
    return this.#out.add(formatValue(arg, verb, effective));
  }

  #extra(): void {
    const rest = this.#args
      .slice(this.#arg)
      .map(arg => (arg.is === 'nil' ? '<nil>' : `${typeName(arg)}=${shown(arg)}`));
    this.#out.add(`%!(EXTRA ${rest.join(', ')})`);
  }
}
