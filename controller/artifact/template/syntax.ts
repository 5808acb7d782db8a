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
  /** Variables that receive the result, each with its `$`. */
  variables: readonly string[];
  /** The variables are declared already. */
  assigns: boolean;
}

export interface Command {
  at: number;
  /** Never empty: the first one is the function, or the only operand. */
  operands: readonly [Operand, ...Operand[]];
}

export type Operand =
  | { is: 'literal'; at: number; value: Value }
  /** An integer that does not fit into int64. */
  | { is: 'huge'; at: number }
  | { is: 'nil' | 'dot'; at: number }
  | { is: 'field'; at: number; path: readonly string[] }
  | { is: 'variable'; at: number; name: string; path: readonly string[] }
  | { is: 'function'; at: number; name: string }
  | { is: 'pipeline'; at: number; pipe: Pipeline }
  /** Fields of the result of a parenthesized pipeline or of a function. */
  | { is: 'chain'; at: number; of: Operand; path: readonly string[] };
