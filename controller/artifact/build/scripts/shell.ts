/** Builds shell commands from words that are quoted where necessary. */
const PLAIN = /^[\w./:@=+,%-]+$/;

/** One word for a shell, whatever characters it has. */
export const word = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

/** `--flag word`, or nothing without a value. */
export const option = (flag: string, value: string | undefined): string[] =>
  value === undefined ? [] : [flag, word(value)];

export const flag = (name: string, isSet: boolean): string[] => (isSet ? [name] : []);

export const line = (...words: readonly string[]): string => words.join(' ');

/** Each command runs only if the one before it succeeded. */
export const inOrder = (...lines: readonly string[]): string => lines.join(' && ');
