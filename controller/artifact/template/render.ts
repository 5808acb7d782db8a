/**
 * Renders Go templates with named texts as values: users write their Dockerfiles in them. The language is that of Go's text/template without
 * definitions of further templates and without complex numbers. A missing value is an empty text.
 */
import { Budget, Writer } from './budget.js';
import { fromBytes, toBytes } from './bytes.js';
import { Evaluator } from './evaluator.js';
import { UnlocatedError } from './errors.js';
import { display } from './functions.js';
import { parse } from './parser.js';
import type { Node } from './syntax.js';
import { int, isTrue, mapOf, NIL, type Value } from './value.js';

/** Throws a `TemplateError` with line, column and kind of fault. */
export function render(template: string, values: Readonly<Record<string, string>>): string {
  const budget = new Budget();
  const nodes = parse(template, budget);
  const renderer = new Renderer(template, mapOf(values), budget);
  return renderer.render(nodes);
}

/** The keyword that ended a list of nodes early. */
type Jump = 'break' | 'continue' | undefined;

type Range = Extract<Node, { is: 'if' | 'with' | 'range' }>;

class Renderer {
  readonly #evaluator: Evaluator;
  readonly #data: Value;
  readonly #out = new Writer();

  constructor(text: string, data: Value, budget: Budget) {
    this.#evaluator = new Evaluator(text, data, budget);
    this.#data = data;
  }

  render(nodes: readonly Node[]): string {
    this.#all(nodes, this.#data);
    return fromBytes(this.#out.toString());
  }

  #all(nodes: readonly Node[], dot: Value): Jump {
    for (const node of nodes) {
      const jump = this.#one(node, dot);
      if (jump) return jump;
    }
    return undefined;
  }

  #one(node: Node, dot: Value): Jump {
    switch (node.is) {
      case 'text':
        this.#evaluator.locate(node.at, () => this.#out.add(toBytes(node.text)));
        return undefined;
      case 'action': {
        const value = this.#evaluator.pipeline(dot, node.pipe);
        if (node.pipe.variables.length === 0) this.#evaluator.locate(node.pipe.at, () => this.#out.add(display(value)));
        return undefined;
      }
      case 'break':
      case 'continue':
        return node.is;
      default:
        return this.#control(node, dot);
    }
  }

  /** The scope of a variable is the control structure that it is declared in. */
  #control(node: Range, dot: Value): Jump {
    const count = this.#evaluator.variableCount();
    try {
      const value = this.#evaluator.pipeline(dot, node.pipe);
      if (node.is === 'range') return this.#range(node, value, dot);
      return isTrue(value) ? this.#all(node.then, node.is === 'with' ? value : dot) : this.#all(node.otherwise, dot);
    } finally {
      this.#evaluator.dropVariables(count);
    }
  }

  #range(node: Range, over: Value, dot: Value): Jump {
    const count = this.#evaluator.variableCount();
    let isEmpty = true;
    for (const [key, element] of this.#evaluator.locate(node.at, () => elements(over, node.pipe.variables.length))) {
      isEmpty = false;
      this.#evaluator.locate(node.at, () => {
        this.#evaluator.budget.spend();
        this.#setVariables(node, key, element);
      });
      const jump = this.#all(node.then, element);
      this.#evaluator.dropVariables(count);
      if (jump === 'break') break;
    }
    return isEmpty ? this.#all(node.otherwise, dot) : undefined;
  }

  /** Two variables are key and element; a single one is the element. */
  #setVariables({ pipe: { variables, assigns } }: Range, key: Value, element: Value): void {
    const [first, second] = variables;
    if (first === undefined) return;
    if (!assigns) {
      this.#evaluator.setLast(1, element);
      if (second !== undefined) this.#evaluator.setLast(2, key);
      return;
    }
    this.#evaluator.set(first, second === undefined ? element : key);
    if (second !== undefined) this.#evaluator.set(second, element);
  }
}

/** The keys and elements that a range iterates over. */
function elements(over: Value, variables: number): Iterable<[Value, Value]> {
  switch (over.is) {
    case 'nil':
      return [];
    case 'map':
      return [...over.value].map(([key, value]) => [
        { is: 'string', value: key },
        { is: 'string', value },
      ]);
    case 'int':
    case 'byte':
      if (variables > 1) throw new UnlocatedError('badRangeVariables');
      return counted(over);
    default:
      throw new UnlocatedError('badRange');
  }
}

function* counted({ is, value }: { is: 'int' | 'byte'; value: bigint }): Generator<[Value, Value]> {
  for (let i = 0n; i < value; i += 1n) yield [NIL, is === 'int' ? int(i) : { is, value: i }];
}
