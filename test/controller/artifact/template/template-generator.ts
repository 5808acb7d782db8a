/** Generates random templates, most of which are valid. The same seed generates the same templates. */

/** A small random number generator (mulberry32): numbers from 0 to below 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TEXTS = ['FROM ', 'RUN x', '\n', ' ', '  \n\t', 'é', '{', '}', '"', 'ENV A=', '日本', '#'];
const FIELDS = ['$.A', '$.B', '$.E', '$.U', '$.Q', '$.H', '$.Nope', '.', '$', '.A', '.Nope', '.B', '(index $ "A")'];
/** Errors whenever they are evaluated. */
const INVALID = ['.A.B', '(index . "A").B', 'nope .A', 'call .A', '9223372036854775808', '1i', 'len 3'];
const LITERALS = [
  '"x"',
  '""',
  '"a\\tb\\u00e9\\x41"',
  '`raw\\n`',
  '"A"',
  '"my-key"',
  '0',
  '1',
  '2',
  '-3',
  '7',
  '0x1F',
  '0b11',
  '017',
  '1_000',
  '1.5',
  '-0.25',
  '1e3',
  '1e21',
  '123456789.0',
  '.5',
  "'a'",
  "'\\n'",
  "'é'",
  'true',
  'false',
  'nil',
];
const FORMATS =
  '%s %v %d %q %x %X %5s|%-5s| %05d %+d %t %T %c %U %o %b %O %% %.2s %.3f %e %g %8.3f %08.2f %#x %#q %+q %#v %+v % x % d %-8q| %6.2e %G %E %*d %[1]s %[2]v %z %! %.0f %#o %#b %#U %.3d %+.2e %#g %03s %x %3c %-4d| %[3]d %.*f %G % +d';
const FUNCTIONS = ['len', 'not', 'html', 'js', 'urlquery', 'print', 'println', 'and', 'or', 'eq', 'ne', 'lt', 'le'];
const MORE_FUNCTIONS = ['gt', 'ge', 'index', 'slice', 'slice', 'index', 'printf', 'printf', 'printf', 'printf'];

export class TemplateGenerator {
  readonly #random: () => number;
  #names = 0;
  #variables: string[] = [];
  #ranges = 0;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  template(): string {
    this.#variables = [];
    const text = this.#list(3);
    return this.#is(0.06) ? this.#corrupted(text) : text;
  }

  #is = (share: number) => this.#random() < share;
  #below = (count: number) => Math.floor(this.#random() * count);
  #of<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  /** One character removed or doubled. */
  #corrupted(text: string): string {
    const at = this.#below(text.length);
    return text.slice(0, at) + (this.#is(0.5) ? '' : text.charAt(at).repeat(2)) + text.slice(at + 1);
  }

  #list(depth: number): string {
    return Array.from({ length: 1 + this.#below(3) }, () => this.#node(depth)).join('');
  }

  #node(depth: number): string {
    const kind = this.#random();
    if (kind < 0.25) return this.#of(TEXTS);
    if (kind < 0.3) return this.#action('/* note */', '');
    if (kind < 0.42) return this.#declaration();
    if (kind < 0.46 && this.#ranges > 0) return this.#action(this.#of(['break', 'continue']));
    if (kind < 0.65 && depth > 0) return this.#control(depth - 1);
    return this.#action(this.#pipeline(2));
  }

  #action(inner: string, space = this.#of(['', ' ', ' '])): string {
    const left = this.#is(0.12) ? '{{- ' : `{{${space}`;
    const right = this.#is(0.12) ? ' -}}' : `${space}}}`;
    return left + inner + right;
  }

  #declaration(): string {
    const known = this.#is(0.3) && this.#variables.length > 0;
    const name = known ? this.#of(this.#variables) : `$v${(this.#names += 1)}`;
    const value = this.#pipeline(2);
    if (!known) this.#variables.push(name);
    return this.#action(`${name} ${known && this.#is(0.7) ? '=' : ':='} ${value}`);
  }

  #control(depth: number): string {
    const kept = this.#variables.length;
    const kind = this.#of(['if', 'if', 'with', 'range']);
    const head = kind === 'range' ? this.#rangeHead() : this.#head();
    this.#ranges += kind === 'range' ? 1 : 0;
    const body = this.#list(depth);
    this.#ranges -= kind === 'range' ? 1 : 0;
    let otherwise = '';
    if (kind !== 'range' && this.#is(0.25))
      otherwise = this.#action(`else ${kind} ${this.#head()}`) + this.#list(depth);
    if (this.#is(0.4)) otherwise += this.#action('else') + this.#list(depth);
    this.#variables.length = kept;
    return this.#action(`${kind} ${head}`) + body + otherwise + this.#action('end');
  }

  #head(): string {
    if (this.#is(0.85)) return this.#pipeline(2);
    const value = this.#pipeline(1);
    const name = `$v${(this.#names += 1)}`;
    this.#variables.push(name);
    return `${name} := ${value}`;
  }

  #rangeHead(): string {
    const over = this.#of(['.', '$', '3', '0', '2', this.#pipeline(1)]);
    if (this.#is(0.25)) return over;
    const names = [`$v${(this.#names += 1)}`, `$v${(this.#names += 1)}`].slice(this.#below(2));
    this.#variables.push(...names);
    return `${names.join(', ')} := ${over}`;
  }

  #pipeline(depth: number): string {
    const first = this.#command(depth);
    if (!this.#is(0.2)) return first;
    const next = this.#of([
      'len',
      'printf "%v"',
      'printf "%q"',
      'print',
      'html',
      'js',
      'not',
      'index .',
      'and 1',
      'eq "x"',
    ]);
    return `${first} | ${next}`;
  }

  #command(depth: number): string {
    if (depth === 0 || this.#is(0.35)) return this.#operand(0);
    const name = this.#is(0.6) ? this.#of(FUNCTIONS) : this.#of(MORE_FUNCTIONS);
    return [name, ...this.#arguments(name, depth - 1)].join(' ');
  }

  #arguments(name: string, depth: number): string[] {
    const some = (count: number) => Array.from({ length: count }, () => this.#operand(depth));
    if (name === 'printf') return [this.#format(), ...some(this.#below(4))];
    if (name === 'index')
      return [
        ...this.#of([
          ['$', '"A"'],
          ['$', '"my-key"'],
          ['$.U', '1'],
          ['$.A', '0'],
          ['$', ...some(1)],
        ]),
      ];
    if (name === 'slice')
      return [
        this.#of(['$.B', '$.U', '"abc"', ...some(1)]),
        ...['0', '0', '1'].slice(2 - this.#below(2)),
        this.#of(['1', '2', '3']),
      ];
    if (name === 'eq' || name === 'ne') return this.#is(0.9) ? this.#comparable() : some(2);
    if (name === 'len') return [this.#of(['.', '$', '$.U', '$.B', '(print 1)', ...some(1)])];
    if (name === 'not') return some(this.#is(0.95) ? 1 : 2);
    if (/^[lg][te]$/.test(name)) return this.#is(0.9) ? this.#comparable() : some(2);
    return some(1 + this.#below(3));
  }

  /** Two operands that can usually be compared. */
  #comparable(): string[] {
    const kind = this.#of([
      ['.A', '.B', '"x"', '""', '.U', '.Nope', '"yz"'],
      ['1', '2', '-3', "'a'", '(len .A)', '(index .A 0)', '0x1F'],
      ['1.5', '1e3', '.5', '-0.25'],
    ]);
    return [this.#of(kind), this.#of(kind)];
  }

  #format(): string {
    const verbs = FORMATS.split(' ');
    return `"${Array.from({ length: 1 + this.#below(3) }, () => this.#of(verbs)).join(this.#of([' ', '', '-']))}"`;
  }

  #operand(depth: number): string {
    const kind = this.#random();
    if (this.#is(0.01)) return this.#of(INVALID);
    if (kind < 0.45) return this.#of(FIELDS);
    if (kind < 0.55 && this.#variables.length > 0) return this.#of(this.#variables);
    if (kind < 0.8 || depth === 0) return this.#of(LITERALS);
    return `(${this.#pipeline(depth)})`;
  }
}
