/** Scripts of the builder's containers, put together of words that a shell takes as they are. */
const PLAIN = /^[\w./:@=+,%-]+$/;

/** One word for a shell, whatever is in it. */
export const word = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

/** `--flag word`, or nothing where there is no value. */
export const option = (flag: string, value: string | undefined): string[] =>
  value === undefined ? [] : [flag, word(value)];

export const flag = (name: string, isSet: boolean): string[] => (isSet ? [name] : []);

export const line = (...words: readonly string[]): string => words.join(' ');

/** Each only if the one before succeeded. */
export const inOrder = (...lines: readonly string[]): string => lines.join(' && ');
