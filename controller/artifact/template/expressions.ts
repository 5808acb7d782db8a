/** Parses the content of an action: pipelines of commands, and commands of operands. */
import { toBytes } from './bytes.js';
import { UnlocatedError, positionOf, TemplateError } from './errors.js';
import type { Token } from './lexer.js';
import { parseNumber, unquote, unquoteChar, unquoteRaw } from './literals.js';
import { isFunction } from './arity.js';
import type { Budget } from './budget.js';
import type { Fault } from './faults.js';
import { MAX_DEPTH, MAX_VARIABLES } from './limits.js';
import type { Command, Operand, Pipeline } from './syntax.js';
import { bool, string } from './value.js';

/** These cannot receive the result of the command before them. */
const NOT_CALLABLE: readonly Operand['is'][] = ['literal', 'huge', 'dot', 'nil'];

export class Expressions {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #budget: Budget;
  #variables: string[] = ['$'];
  #next = 0;
  #depth = 0;

  constructor(text: string, tokens: readonly Token[], budget: Budget) {
    this.#text = text;
    this.#budget = budget;
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

  error(fault: Fault, { at }: { at: number }): TemplateError {
    return new TemplateError(fault, positionOf(this.#text, at));
  }

  #unexpected(token: Token): TemplateError {
    return this.error(token.type === 'end' ? 'unexpectedEndOfTemplate' : 'unexpectedToken', token);
  }

  /** Ends the action of a keyword, after which nothing may follow. */
  close(): void {
    const token = this.nextNonSpace();
    if (token.type !== 'right') throw this.#unexpected(token);
  }

  variableCount = (): number => this.#variables.length;
  dropVariables = (count: number): void => void (this.#variables.length = count);

  /** `isRange`: of a range, which may declare two variables. */
  pipeline(isRange = false): Pipeline {
    return this.#pipelineUpTo('right', isRange);
  }

  #pipelineUpTo(end: 'right' | 'close', isRange = false): Pipeline {
    const { at } = this.peekNonSpace();
    const { variables, assigns } = this.#declarations(isRange);
    const commands: Command[] = [];
    while (this.peekNonSpace().type !== end) {
      const command = this.#command();
      if (command === undefined) throw this.#unexpected(this.peekNonSpace());
      const [{ is }] = command.operands;
      if (commands.length > 0 && NOT_CALLABLE.includes(is)) throw this.error('notCallable', command);
      commands.push(command);
    }
    const closing = this.next();
    if (commands.length === 0) throw this.error('missingValue', closing);
    return { at, commands, variables, assigns };
  }

  /** `$x :=`, `$x =`, and `$k, $v :=` of a range. */
  #declarations(isRange: boolean): Pick<Pipeline, 'variables' | 'assigns'> {
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
      if (this.#variables.length > MAX_VARIABLES) throw this.error('tooManyVariables', variable);
      this.#variables.push(variable.text);
      if (!isList) return { variables, assigns: type === 'assign' };
      if (!isRange || variables.length > 1) throw this.error('tooManyDeclarations', sign);
      const following = this.peekNonSpace();
      if (!['variable', 'right', 'close'].includes(following.type)) throw this.error('badRangeDeclaration', following);
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
      else if (token.type !== 'right' && token.type !== 'close' && operands.length > 0) throw this.#unexpected(token);
      const [first, ...more] = operands;
      return first && { at, operands: [first, ...more] };
    }
  }

  #operand(): Operand | undefined {
    const of = this.#term();
    if (of === undefined || this.#peek().type !== 'field') return of;
    const { at } = this.#peek();
    if (NOT_CALLABLE.includes(of.is)) throw this.error('fieldOfConstant', { at });
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
        return this.#variable(token);
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

  #variable(token: Token): Operand {
    const { text, at } = token;
    this.#locate(at, () => this.#budget.spend(this.#variables.length));
    if (!this.#variables.includes(text)) throw this.error('undefinedVariable', token);
    return this.#consume({ is: 'variable', at, name: text, path: [] });
  }

  /** Runs `work`, and adds a position to its error. */
  #locate<T>(at: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof UnlocatedError) throw this.error(error.fault, { at });
      throw error;
    }
  }

  #consume(operand: Operand): Operand {
    this.next();
    return operand;
  }

  #word(token: Token): Operand {
    const { text, at } = token;
    if (text === 'true' || text === 'false') return this.#consume({ is: 'literal', at, value: bool(text === 'true') });
    if (!isFunction(text)) throw this.error('undefinedFunction', token);
    return this.#consume({ is: 'function', at, name: text });
  }

  #literal({ type, text, at }: Token): Operand {
    return this.#locate(at, () => {
      if (type === 'string') return { is: 'literal', at, value: string(unquote(text)) };
      if (type === 'raw') return { is: 'literal', at, value: string(unquoteRaw(text)) };
      if (type === 'char') return { is: 'literal', at, value: unquoteChar(text) };
      const value = parseNumber(text);
      return value.is === 'huge' ? { ...value, at } : { is: 'literal', at, value };
    });
  }

  #parenthesized(at: number): Operand {
    this.next();
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.error('tooManyParentheses', { at });
    const pipe = this.#pipelineUpTo('close');
    this.#depth -= 1;
    return { is: 'pipeline', at, pipe };
  }
}
