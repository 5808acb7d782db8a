/** Splits the text of a template into tokens. White space within an action is a token, since it separates operands. */
import type { Budget } from './budget.js';
import { positionOf, TemplateError, UnlocatedError } from './errors.js';
import type { Fault } from './faults.js';
import { MAX_NUMBER_LENGTH, MAX_TOKENS } from './limits.js';

export type TokenType =
  | 'text'
  | 'left'
  | 'right'
  | 'space'
  | 'assign'
  | 'declare'
  | 'pipe'
  | 'string'
  | 'raw'
  | 'char'
  | 'number'
  | 'word'
  | 'keyword'
  | 'variable'
  | 'field'
  | 'dot'
  | 'open'
  | 'close'
  | 'other'
  | 'end';

export interface Token {
  type: TokenType;
  text: string;
  at: number;
}

const KEYWORDS = ['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'nil', 'range', 'template', 'with'];

const SPACE = /[ \t\r\n]+/y;
const WORD = /[\p{L}\p{Nd}_]+/uy;
const RIGHT = /[ \t\r\n]-\}\}|\}\}/y;
/** What may follow a word without a space. */
const TERMINATOR = /$|[ \t\r\n.,|:()]|\}\}/y;
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y;
const CHAR = /'(?:[^'\\\n]|\\[^\n])*'/y;
const RAW = /`[^`]*`/y;

const SIGNS: Record<string, TokenType> = { '=': 'assign', '|': 'pipe' };
const QUOTES: Record<string, [RegExp, TokenType, Fault]> = {
  '"': [STRING, 'string', 'unclosedString'],
  "'": [CHAR, 'char', 'unclosedCharacter'],
  '`': [RAW, 'raw', 'unclosedRawString'],
};

export const lex = (text: string, budget: Budget): Token[] => new Lexer(text, budget).all();

class Lexer {
  readonly #text: string;
  readonly #budget: Budget;
  readonly #tokens: Token[] = [];
  #at = 0;
  #depth = 0;

  constructor(text: string, budget: Budget) {
    this.#text = text;
    this.#budget = budget;
  }

  all(): Token[] {
    for (let trim = false; this.#at < this.#text.length; ) {
      this.#outside(trim);
      trim = this.#at < this.#text.length && this.#action();
    }
    this.#tokens.push({ type: 'end', text: '', at: this.#at });
    return this.#tokens;
  }

  /** Text up to the next action, without the white space that adjacent actions trim. */
  #outside(trimStart: boolean): void {
    const found = this.#text.indexOf('{{', this.#at);
    const end = found < 0 ? this.#text.length : found;
    let text = this.#text.slice(this.#at, end);
    if (trimStart) text = text.replace(/^[ \t\r\n]+/, '');
    if (found >= 0 && /^-[ \t\r\n]/.test(this.#text.slice(found + 2, found + 4))) text = trimmedEnd(text);
    if (text !== '') this.#add({ type: 'text', text, at: this.#at });
    this.#at = end;
  }

  /** One action or comment. True if it trims the text that follows. */
  #action(): boolean {
    this.#spend();
    const start = this.#at;
    const trims = /^-[ \t\r\n]/.test(this.#text.slice(start + 2, start + 4));
    const inside = start + 2 + (trims ? 2 : 0);
    if (this.#text.startsWith('/*', inside)) return this.#comment(inside);
    this.#push('left', '{{');
    /* The space of a trim marker is also white space of the action. */
    if (trims) this.#at += 1;
    this.#depth = 0;
    for (;;) {
      const right = this.#match(RIGHT);
      if (right !== undefined) {
        if (this.#depth > 0) throw this.#error('unclosedParenthesis');
        this.#push('right', right);
        return right !== '}}';
      }
      this.#token();
    }
  }

  #comment(start: number): boolean {
    const end = this.#text.indexOf('*/', start + 2);
    this.#at = start;
    if (end < 0) throw this.#error('unclosedComment');
    this.#at = end + 2;
    const right = this.#match(RIGHT);
    if (right === undefined) throw this.#error('commentNotAlone');
    this.#at += right.length;
    return right !== '}}';
  }

  #token(): void {
    this.#spend();
    const char = this.#text[this.#at];
    if (char === undefined) throw this.#error('unclosedAction');
    const space = this.#match(SPACE);
    if (space !== undefined) return this.#space(space);
    if (this.#text.startsWith(':=', this.#at)) return this.#push('declare', ':=');
    const sign = SIGNS[char];
    if (sign) return this.#push(sign, char);
    const quote = QUOTES[char];
    if (quote) return this.#quoted(...quote);
    if (char === '(' || char === ')') return this.#paren(char);
    if (char === '$') return this.#named('variable');
    if (char === '.' && !/[0-9]/.test(this.#text[this.#at + 1] ?? '')) return this.#named('field');
    if (/[-+.0-9]/.test(char)) return this.#number();
    const word = this.#match(WORD);
    if (word !== undefined) return this.#word(word);
    if (char === ':') throw this.#error('badColon');
    if (!/[!-~]/.test(char)) throw this.#error('badCharacterInAction');
    return this.#push('other', char);
  }

  /** The last space may belong to the trim marker at the end of the action. */
  #space(space: string): void {
    const isBeforeTrimMarker = this.#text.startsWith('-}}', this.#at + space.length);
    const text = isBeforeTrimMarker ? space.slice(0, -1) : space;
    this.#push('space', text);
  }

  #quoted(pattern: RegExp, type: TokenType, fault: Fault): void {
    const text = this.#match(pattern);
    if (text === undefined) throw this.#error(fault);
    this.#push(type, text);
  }

  #paren(char: '(' | ')'): void {
    this.#depth += char === '(' ? 1 : -1;
    if (this.#depth < 0) throw this.#error('unopenedParenthesis');
    this.#push(char === '(' ? 'open' : 'close', char);
  }

  /** `$`, `$name`, `.`, `.Name`. */
  #named(type: 'variable' | 'field'): void {
    const start = this.#at;
    this.#at += 1;
    const name = this.#match(WORD) ?? '';
    this.#at += name.length;
    this.#endOfWord();
    const text = this.#text.slice(start, this.#at);
    this.#add({ type: text === '.' ? 'dot' : type, text, at: start });
  }

  #word(word: string): void {
    this.#push(KEYWORDS.includes(word) ? 'keyword' : 'word', word);
    this.#endOfWord();
  }

  #endOfWord(): void {
    if (this.#match(TERMINATOR) !== undefined) return;
    throw this.#error('badCharacterInWord');
  }

  #number(): void {
    const text = this.#match(NUMBER) ?? '';
    if (text.length > MAX_NUMBER_LENGTH) throw this.#error('tooManyDigits');
    const after = this.#at + text.length;
    const next = this.#text[after] ?? '';
    if (next === 'i' || next === '+' || next === '-') throw this.#error('complexNumber');
    if (/[\p{L}\p{Nd}_]/u.test(next)) throw this.#error('badNumber');
    this.#push('number', text);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  #push(type: TokenType, text: string): void {
    if (text !== '') this.#add({ type, text, at: this.#at });
    this.#at += text.length;
  }

  /** Comments and empty actions have no token, but cost as much time. */
  #add(token: Token): void {
    if (this.#tokens.length >= MAX_TOKENS) throw this.#error('tooManyTokens');
    this.#tokens.push(token);
  }

  #spend(): void {
    try {
      this.#budget.spend();
    } catch (error) {
      throw error instanceof UnlocatedError ? this.#error(error.fault) : error;
    }
  }

  #error(fault: Fault): TemplateError {
    return new TemplateError(fault, positionOf(this.#text, this.#at));
  }
}

/** Without a regular expression: one for trailing white space takes quadratic time. */
function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t\r\n'.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
