/** Tokens → the tree of a template: text, actions, control structures. What is in an action: `expressions.ts`. */
import { Expressions } from './expressions.js';
import { lex, type Token } from './lexer.js';
import type { Node } from './syntax.js';

/** They would let a template define and call templates, for which there is no use here and no end of them. */
const FORBIDDEN = ['block', 'define', 'template'];

/** Control structures within each other. */
const DEEPEST = 100;

export const parse = (text: string): Node[] => new Parser(text).document();

/** How a list of nodes ended. */
interface List {
  nodes: Node[];
  end: 'document' | 'end' | 'else';
}

class Parser {
  readonly #in: Expressions;
  #ranges = 0;
  #depth = 0;
  /** The `end` or `else` that closed the last list. */
  #closing: { at: number } = { at: 0 };

  constructor(text: string) {
    this.#in = new Expressions(text, lex(text));
  }

  document(): Node[] {
    const { nodes, end } = this.#list();
    if (end !== 'document') throw this.#in.error(`unexpected {{${end}}}`, this.#closing);
    return nodes;
  }

  #list(): List {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#in.next();
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
    const word = this.#in.peekOver();
    if (word.type !== 'keyword' || word.text === 'nil') return { is: 'action', pipe: this.#in.pipeline('command') };
    this.#in.nextOver();
    const { text } = word;
    if (FORBIDDEN.includes(text)) throw this.#in.error(`"${text}" is not allowed here`, word);
    if (text === 'if' || text === 'with' || text === 'range') return this.#control(text, word);
    if (text === 'break' || text === 'continue') return this.#jump(text, word);
    this.#closing = word;
    if (text === 'end') this.#in.close('end');
    else if (!this.#continuesElse()) this.#in.close('else');
    return text === 'end' ? 'end' : 'else';
  }

  /** `else if`, `else with`: whoever began the structure decides whether that is right. */
  #continuesElse(): boolean {
    const { type, text } = this.#in.peekOver();
    return type === 'keyword' && (text === 'if' || text === 'with');
  }

  #jump(is: 'break' | 'continue', word: Token): Node {
    this.#in.close(is);
    if (this.#ranges === 0) throw this.#in.error(`{{${is}}} outside {{range}}`, word);
    return { is };
  }

  #control(is: 'if' | 'with' | 'range', word: Token): Node {
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw this.#in.error(`more than ${DEEPEST} levels of if, with and range`, word);
    const known = this.#in.variablesKnown();
    const pipe = this.#in.pipeline(is);
    this.#ranges += is === 'range' ? 1 : 0;
    const then = this.#list();
    this.#ranges -= is === 'range' ? 1 : 0;
    const otherwise = then.end === 'else' ? this.#otherwise(is) : { nodes: [], end: then.end };
    if (otherwise.end === 'document') throw this.#in.error(`{{${is}}} without {{end}}`, word);
    if (otherwise.end === 'else') throw this.#in.error('unexpected {{else}}: expected {{end}}', this.#closing);
    this.#in.forgetVariables(known);
    this.#depth -= 1;
    return { is, at: word.at, pipe, then: then.nodes, otherwise: otherwise.nodes };
  }

  /** One `{{end}}` closes a whole chain of `{{else if}}`. */
  #otherwise(is: 'if' | 'with' | 'range'): List {
    if (!this.#continuesElse()) return this.#list();
    const word = this.#in.nextOver();
    if (word.text !== is) throw this.#in.error(`unexpected "${word.text}" after {{else}} of "${is}"`, word);
    return { nodes: [this.#control(is, word)], end: 'end' };
  }
}
