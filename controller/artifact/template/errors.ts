/** Errors of templates: a place and a kind of fault, never a piece of the template or of a value. */
import { type Fault, FAULTS } from './faults.js';

export interface Position {
  /** Both count from 1; a column is one character. */
  line: number;
  column: number;
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1;
  let column = 1;
  for (const _ of before.slice(lineStart)) column += 1;
  return { line, column };
}

/** A template cannot be rendered. The message names the position. */
export class TemplateError extends Error {
  readonly reason: string;

  constructor(
    readonly fault: Fault,
    readonly position: Position,
  ) {
    super(`line ${position.line}, column ${position.column}: ${FAULTS[fault]}`);
    this.name = 'TemplateError';
    this.reason = FAULTS[fault];
  }
}

/** An error without a position: the caller knows where in the template it happened, and adds that. */
export class UnlocatedError extends Error {
  constructor(readonly fault: Fault) {
    super(FAULTS[fault]);
  }
}
