/** Parses tokens into a tree of text, actions and control structures. The content of actions is parsed in `expressions.ts`. */
import type { Budget } from './budget.js';
import { Expressions } from './expressions.js';
import { lex, type Token } from './lexer.js';
import { MAX_DEPTH } from './limits.js';
import type { Node } from './syntax.js';

/** They define and call further templates, possibly recursively. That is not needed here. */
const FORBIDDEN = ['block', 'define', 'template'];

export const parse = (text: string, budget: Budget): Node[] => new Parser(text, budget).document();

/** A list of nodes, and the keyword that ended it. */
interface List {
  nodes: Node[];
  end: 'document' | 'end' | 'else';
}

class Parser {
  readonly #expressions: Expressions;
  #ranges = 0;
  #depth = 0;
  /** The `end` or `else` that closed the last list. */
  #closing: { at: number } = { at: 0 };

  constructor(text: string, budget: Budget) {
    this.#expressions = new Expressions(text, lex(text, budget), budget);
  }

  document(): Node[] {
    const { nodes, end } = this.#list();
    if (end !== 'document')
      throw this.#expressions.error(end === 'end' ? 'unexpectedEnd' : 'unexpectedElse', this.#closing);
    return nodes;
  }

  #list(): List {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#expressions.next();
      if (token.type === 'end') return { nodes, end: 'document' };
      if (token.type === 'text') nodes.push({ is: 'text', at: token.at, text: token.text });
      else {
        const node = this.#action();
        if (node === 'end' || node === 'else') return { nodes, end: node };
        nodes.push(node);
      }
    }
  }

  #action(): Node | 'end' | 'else' {
    const word = this.#expressions.peekNonSpace();
    if (word.type !== 'keyword' || word.text === 'nil') return { is: 'action', pipe: this.#expressions.pipeline() };
    this.#expressions.nextNonSpace();
    const { text } = word;
    if (FORBIDDEN.includes(text)) throw this.#expressions.error('notAllowed', word);
    if (text === 'if' || text === 'with' || text === 'range') return this.#control(text, word);
    if (text === 'break' || text === 'continue') return this.#jump(text, word);
    this.#closing = word;
    if (text === 'end') this.#expressions.close();
    else if (!this.#continuesElse()) this.#expressions.close();
    return text === 'end' ? 'end' : 'else';
  }

  /** `else if` or `else with`. The caller checks whether it fits the structure. */
  #continuesElse(): boolean {
    const { type, text } = this.#expressions.peekNonSpace();
    return type === 'keyword' && (text === 'if' || text === 'with');
  }

  #jump(is: 'break' | 'continue', word: Token): Node {
    this.#expressions.close();
    if (this.#ranges === 0) throw this.#expressions.error('jumpOutsideRange', word);
    return { is };
  }

  #control(is: 'if' | 'with' | 'range', word: Token): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#expressions.error('tooManyLevels', word);
    const known = this.#expressions.variableCount();
    const pipe = this.#expressions.pipeline(is === 'range');
    this.#ranges += is === 'range' ? 1 : 0;
    const then = this.#list();
    this.#ranges -= is === 'range' ? 1 : 0;
    const otherwise = then.end === 'else' ? this.#otherwise(is) : { nodes: [], end: then.end };
    if (otherwise.end === 'document') throw this.#expressions.error('unclosedControl', word);
    if (otherwise.end === 'else') throw this.#expressions.error('secondElse', this.#closing);
    this.#expressions.dropVariables(known);
    this.#depth -= 1;
    return { is, at: word.at, pipe, then: then.nodes, otherwise: otherwise.nodes };
  }

  /** One `{{end}}` ends a whole chain of `{{else if}}`. */
  #otherwise(is: 'if' | 'with' | 'range'): List {
    if (!this.#continuesElse()) return this.#list();
    const word = this.#expressions.nextNonSpace();
    if (word.text !== is) throw this.#expressions.error('otherElse', word);
    return { nodes: [this.#control(is, word)], end: 'end' };
  }
}
