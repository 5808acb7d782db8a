/** What is wrong with a template, and where. */

export interface Place {
  /** Both count from 1; a column is one character. */
  line: number;
  column: number;
}

export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Array.from(before.slice(lineStart)).length + 1 };
}

/** A template that cannot be rendered, in words that name the place. */
export class TemplateError extends Error {
  constructor(
    readonly why: string,
    readonly place: Place,
  ) {
    super(`line ${place.line}, column ${place.column}: ${why}`);
    this.name = 'TemplateError';
  }
}

/** What a function has against its arguments; whoever called it knows the place. */
export class Fault extends Error {}
