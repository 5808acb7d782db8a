/**
 * Renders the subset of Helm templates that the chart uses, for machines without Helm: actions, variables, `if`, `with`, `range`,
 * `define`, and the functions of go-functions.ts. Anything else is an error, never empty text. `chart.test.ts` compares it with Helm.
 */
import { type Call, callFunction, isTrue } from './go-functions.js';

interface Scope {
  dot: unknown;
  variables: ReadonlyMap<string, unknown>;
}
type Node = { text: string } | { action: string } | { block: string; head: string; then: Node[]; otherwise: Node[] };
type Token = { text: string } | { action: string };

function tokens(source: string): Token[] {
  const found: Token[] = [];
  let rest = source;
  for (;;) {
    const open = /\{\{(- )?(?:\/\*[\s\S]*?\*\/|((?:"(?:\\.|[^"\\])*"|[^"}]|\}(?!\}))*?))( -)?\}\}/.exec(rest);
    if (open === null) return [...found, { text: rest }];
    const [all, left, action, right] = open;
    const before = rest.slice(0, open.index);
    found.push({ text: left ? before.trimEnd() : before });
    if (action !== undefined) found.push({ action: action.trim() });
    rest = rest.slice(open.index + all.length);
    if (right) rest = rest.trimStart();
  }
}

/** Consumes the tokens of `rest` up to the `end` or `else` that closes the current block. */
function parse(rest: Token[]): { nodes: Node[]; stop: string } {
  const nodes: Node[] = [];
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    if ('text' in token) nodes.push(token);
    else if (/^(end|else)\b/.test(token.action)) return { nodes, stop: token.action };
    else nodes.push(/^(if|with|range|define)\b/.test(token.action) ? block(token.action, rest) : token);
  }
  return { nodes, stop: '' };
}

function block(action: string, rest: Token[]): Node {
  const [, word = '', head = ''] = /^(\w+)\s+([\s\S]*)$/.exec(action) ?? [];
  const { nodes, stop } = parse(rest);
  if (stop === 'else') return { block: word, head, then: nodes, otherwise: parse(rest).nodes };
  if (stop.startsWith('else ')) return { block: word, head, then: nodes, otherwise: [block(stop.slice(5), rest)] };
  if (stop !== 'end') throw new Error(`{{ ${action} }} has no end`);
  return { block: word, head, then: nodes, otherwise: [] };
}

const WORD = /\s*("(?:\\.|[^"\\])*"|\(|\)|\||[^\s()|"]+)/y;

function wordsOf(expression: string): string[] {
  WORD.lastIndex = 0;
  const words: string[] = [];
  for (let match = WORD.exec(expression); match !== null; match = WORD.exec(expression)) words.push(match[1] ?? '');
  return words;
}

export class Templates {
  readonly #defined = new Map<string, Node[]>();

  /** Renders one file. Templates that it defines are available to the files rendered after it. */
  render(source: string, dot: unknown): string {
    const { nodes } = parse(tokens(source));
    return this.#all(nodes, { dot, variables: new Map([['$', dot]]) });
  }

  #all(nodes: readonly Node[], scope: Scope): string {
    const variables = new Map(scope.variables);
    return nodes.map(node => this.#one(node, { dot: scope.dot, variables })).join('');
  }

  #one(node: Node, scope: Scope & { variables: Map<string, unknown> }): string {
    if ('text' in node) return node.text;
    if ('block' in node) return this.#block(node, scope);
    const assigned = /^(\$\w+)\s*:=\s*([\s\S]*)$/.exec(node.action);
    if (assigned === null) return String(this.#pipeline(wordsOf(node.action), scope));
    scope.variables.set(assigned[1] ?? '', this.#pipeline(wordsOf(assigned[2] ?? ''), scope));
    return '';
  }

  #block({ block: word, head, then, otherwise }: Extract<Node, { block: string }>, scope: Scope): string {
    if (word === 'define') {
      this.#defined.set(JSON.parse(head) as string, then);
      return '';
    }
    const [, names, expression = ''] = /^(?:(\$\w+, \$\w+) := )?([\s\S]*)$/.exec(head) ?? [];
    const value = this.#pipeline(wordsOf(expression), scope);
    if (!isTrue(value)) return this.#all(otherwise, scope);
    if (word !== 'range') return this.#all(then, word === 'with' ? { ...scope, dot: value } : scope);
    return (value as unknown[])
      .map((item, at) => {
        const [index = '', each = ''] = names?.split(', ') ?? [];
        const more =
          names === undefined
            ? []
            : ([
                [index, at],
                [each, item],
              ] as const);
        return this.#all(then, { dot: item, variables: new Map([...scope.variables, ...more]) });
      })
      .join('');
  }

  /** Consumes `words` up to their end or a closing parenthesis. */
  #pipeline(words: string[], scope: Scope): unknown {
    let final: unknown[] = [];
    for (;;) {
      const operands: { word: string; value: unknown }[] = [];
      while (words.length > 0 && words[0] !== '|' && words[0] !== ')') operands.push(this.#operand(words, scope));
      const [first, ...args] = operands;
      if (first === undefined) throw new Error('an action has no command');
      const call: Call = (name, dot) => this.#include(name, dot);
      const isCall = /^[a-zA-Z]\w*$/.test(first.word);
      const value = isCall ? callFunction(first.word, [...args.map(arg => arg.value), ...final], call) : first.value;
      if (!isCall && (args.length > 0 || final.length > 0)) throw new Error(`${first.word} is not a function`);
      final = [value];
      if (words.shift() !== '|') return value;
    }
  }

  #operand(words: string[], scope: Scope): { word: string; value: unknown } {
    const word = words.shift() ?? '';
    if (word === '(') return { word, value: this.#pipeline(words, scope) };
    if (word.startsWith('"')) return { word, value: JSON.parse(word) };
    if (/^\d+$/.test(word)) return { word, value: Number(word) };
    if (/^[a-zA-Z]\w*$/.test(word)) return { word, value: undefined };
    const [, variable = '', path = ''] = /^(\$\w*)?((?:\.\w+)*|\.)$/.exec(word) ?? [];
    if (variable === '' && path === '') throw new Error(`${word} is not supported`);
    const root = variable === '' ? scope.dot : scope.variables.get(variable);
    return { word, value: path.split('.').filter(Boolean).reduce(field, root) };
  }

  #include(name: string, dot: unknown): string {
    const nodes = this.#defined.get(name);
    if (nodes === undefined) throw new Error(`the template ${name} is not defined`);
    return this.#all(nodes, { dot, variables: new Map([['$', dot]]) });
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) throw new Error(`.${name} is read from a value without fields`);
  return (value as Record<string, unknown>)[name];
}
