/** Which licences may go into an image that is licensed under Apache-2.0. */

/** They ask for nothing. */
const WITHOUT_TEXT: ReadonlySet<string> = new Set(['0BSD', 'CC0-1.0', 'MIT-0', 'Unlicense']);

/** They ask for their text to come along at most. */
const ALLOWED: ReadonlySet<string> = new Set([
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  ...WITHOUT_TEXT,
]);

export const wantsItsText = (licence: string): boolean => !WITHOUT_TEXT.has(licence);

/** Of an expression with OR the first choice that is allowed, of one with AND all of it; undefined: it must not be bundled. */
export function chosenLicence(expression: string): string | undefined {
  const plain = expression.replace(/^\((.*)\)$/, '$1');
  if (/[()]/.test(plain)) return undefined; // nobody has needed it so far
  return plain.split(' OR ').find(choice => choice.split(' AND ').every(id => ALLOWED.has(id.trim())));
}
