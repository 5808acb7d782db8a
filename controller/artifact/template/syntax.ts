/** The parsed form of a template. `at` is an offset into its text. */
import type { Value } from './value.js';

export type Node =
  | { is: 'text'; at: number; text: string }
  | { is: 'action'; pipe: Pipeline }
  | { is: 'if' | 'with' | 'range'; at: number; pipe: Pipeline; then: readonly Node[]; otherwise: readonly Node[] }
  | { is: 'break' | 'continue' };

export interface Pipeline {
  at: number;
  commands: readonly Command[];
  /** Variables that take the result, each with its `$`. */
  variables: readonly string[];
  /** They exist already. */
  assigns: boolean;
}

export interface Command {
  at: number;
  /** Never empty; the first decides what is done with the others. */
  operands: readonly [Operand, ...Operand[]];
}

export type Operand =
  | { is: 'literal'; at: number; value: Value }
  /** A whole number that is too large to be computed with. */
  | { is: 'huge'; at: number; text: string }
  | { is: 'nil' | 'dot'; at: number }
  | { is: 'field'; at: number; path: readonly string[] }
  | { is: 'variable'; at: number; name: string; path: readonly string[] }
  | { is: 'function'; at: number; name: string }
  | { is: 'pipeline'; at: number; pipe: Pipeline }
  /** Fields of what an operand in brackets, or a function, results in. */
  | { is: 'chain'; at: number; of: Operand; path: readonly string[] };
