/** Parses the content of an action: pipelines of commands, and commands of operands. */
import { toBytes } from './bytes.js';
import { UnlocatedError, positionOf, TemplateError } from './errors.js';
import type { Token } from './lexer.js';
import { parseNumber, unquote, unquoteChar, unquoteRaw } from './literals.js';
import { isFunction } from './arity.js';
import type { Command, Operand, Pipeline } from './syntax.js';
import { bool, string } from './value.js';

/** The limit for nested parentheses. */
const MAX_DEPTH = 100;

/** These cannot receive the result of the command before them. */
const NOT_CALLABLE: readonly Operand['is'][] = ['literal', 'huge', 'dot', 'nil'];

export class Expressions {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #variables: string[] = ['$'];
  #next = 0;
  #depth = 0;

  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  /** The token that was consumed last. */
  get last(): Token {
    return this.#at(this.#next - 1);
  }

  next(): Token {
    this.#next += 1;
    return this.last;
  }

  /** The next token, after white space is skipped. */
  peekNonSpace(): Token {
    while (this.#at(this.#next).type === 'space') this.#next += 1;
    return this.#at(this.#next);
  }

  nextNonSpace(): Token {
    this.peekNonSpace();
    return this.next();
  }

  #peek = () => this.#at(this.#next);

  #at(index: number): Token {
    return this.#tokens[Math.max(index, 0)] ?? { type: 'end', text: '', at: this.#text.length };
  }

  error(reason: string, { at }: { at: number }): TemplateError {
    return new TemplateError(reason, positionOf(this.#text, at));
  }

  #unexpected(token: Token, where: string): TemplateError {
    const found = token.type === 'end' ? 'end of template' : JSON.stringify(token.text);
    return this.error(`unexpected ${found} in ${where}`, token);
  }

  /** Ends the action of a keyword, after which nothing may follow. */
  close(word: string): void {
    const token = this.nextNonSpace();
    if (token.type !== 'right') throw this.#unexpected(token, `{{${word}}}`);
  }

  variableCount = (): number => this.#variables.length;
  dropVariables = (count: number): void => void (this.#variables.length = count);

  pipeline(where: string): Pipeline {
    return this.#pipelineUpTo('right', where);
  }

  #pipelineUpTo(end: 'right' | 'close', where: string): Pipeline {
    const { at } = this.peekNonSpace();
    const { variables, assigns } = this.#declarations(where);
    const commands: Command[] = [];
    while (this.peekNonSpace().type !== end) {
      const command = this.#command();
      if (command === undefined) throw this.#unexpected(this.peekNonSpace(), where);
      const [{ is }] = command.operands;
      if (commands.length > 0 && NOT_CALLABLE.includes(is))
        throw this.error(`non executable command in pipeline stage ${commands.length + 1}`, command);
      commands.push(command);
    }
    const closing = this.next();
    if (commands.length === 0) throw this.error(`missing value for ${where}`, closing);
    return { at, commands, variables, assigns };
  }

  /** `$x :=`, `$x =`, and `$k, $v :=` of a range. */
  #declarations(where: string): Pick<Pipeline, 'variables' | 'assigns'> {
    const variables: string[] = [];
    for (;;) {
      const before = this.#next;
      const variable = this.peekNonSpace();
      if (variable.type !== 'variable') return { variables, assigns: false };
      this.next();
      const { type, text } = this.peekNonSpace();
      const isList = type === 'other' && text === ',';
      if (type !== 'assign' && type !== 'declare' && !isList) {
        this.#next = before;
        return { variables, assigns: false };
      }
      const sign = this.next();
      variables.push(variable.text);
      this.#variables.push(variable.text);
      if (!isList) return { variables, assigns: type === 'assign' };
      if (where !== 'range' || variables.length > 1) throw this.error(`too many declarations in ${where}`, sign);
      const following = this.peekNonSpace();
      if (!['variable', 'right', 'close'].includes(following.type))
        throw this.error('range can only initialize variables', following);
    }
  }

  /** Undefined if no command starts here. */
  #command(): Command | undefined {
    const { at } = this.peekNonSpace();
    const operands: Operand[] = [];
    for (;;) {
      this.peekNonSpace();
      const operand = this.#operand();
      if (operand) operands.push(operand);
      const token = this.#peek();
      if (token.type === 'space') continue;
      if (token.type === 'pipe' && operands.length > 0) this.next();
      else if (token.type !== 'right' && token.type !== 'close' && operands.length > 0)
        throw this.#unexpected(token, 'operand');
      const [first, ...more] = operands;
      return first && { at, operands: [first, ...more] };
    }
  }

  #operand(): Operand | undefined {
    const of = this.#term();
    if (of === undefined || this.#peek().type !== 'field') return of;
    const { at } = this.#peek();
    if (NOT_CALLABLE.includes(of.is)) throw this.error('unexpected . after a value without fields', { at });
    const path: string[] = [];
    while (this.#peek().type === 'field') path.push(toBytes(this.next().text.slice(1)));
    if (of.is === 'field' || of.is === 'variable') return { ...of, path: [...of.path, ...path] };
    return { is: 'chain', at, of, path };
  }

  #term(): Operand | undefined {
    const token = this.#peek();
    const { type, at, text } = token;
    switch (type) {
      case 'keyword':
        return text === 'nil' ? this.#consume({ is: 'nil', at }) : undefined;
      case 'word':
        return this.#word(token);
      case 'dot':
        return this.#consume({ is: 'dot', at });
      case 'field':
        return this.#consume({ is: 'field', at, path: [toBytes(text.slice(1))] });
      case 'variable':
        if (!this.#variables.includes(text)) throw this.error(`undefined variable ${JSON.stringify(text)}`, token);
        return this.#consume({ is: 'variable', at, name: text, path: [] });
      case 'string':
      case 'raw':
      case 'char':
      case 'number':
        return this.#consume(this.#literal(token));
      case 'open':
        return this.#parenthesized(at);
      default:
        return undefined;
    }
  }

  #consume(operand: Operand): Operand {
    this.next();
    return operand;
  }

  #word(token: Token): Operand {
    const { text, at } = token;
    if (text === 'true' || text === 'false') return this.#consume({ is: 'literal', at, value: bool(text === 'true') });
    if (!isFunction(text)) throw this.error(`function ${JSON.stringify(text)} not defined`, token);
    return this.#consume({ is: 'function', at, name: text });
  }

  #literal({ type, text, at }: Token): Operand {
    try {
      if (type === 'string') return { is: 'literal', at, value: string(unquote(text)) };
      if (type === 'raw') return { is: 'literal', at, value: string(unquoteRaw(text)) };
      if (type === 'char') return { is: 'literal', at, value: unquoteChar(text) };
      const value = parseNumber(text);
      return value.is === 'huge' ? { ...value, at } : { is: 'literal', at, value };
    } catch (error) {
      if (error instanceof UnlocatedError) throw this.error(error.message, { at });
      throw error;
    }
  }

  #parenthesized(at: number): Operand {
    this.next();
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.error(`more than ${MAX_DEPTH} nested parentheses`, { at });
    const pipe = this.#pipelineUpTo('close', 'parenthesized pipeline');
    this.#depth -= 1;
    return { is: 'pipeline', at, pipe };
  }
}
