/** Errors of templates. */

export interface Position {
  /** Both count from 1; a column is one character. */
  line: number;
  column: number;
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Array.from(before.slice(lineStart)).length + 1 };
}

/** A template cannot be rendered. The message names the position. */
export class TemplateError extends Error {
  constructor(
    readonly reason: string,
    readonly position: Position,
  ) {
    super(`line ${position.line}, column ${position.column}: ${reason}`);
    this.name = 'TemplateError';
  }
}

/** An error without a position: the caller knows where in the template it happened, and adds that. */
export class UnlocatedError extends Error {}
