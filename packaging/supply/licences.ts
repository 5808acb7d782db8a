/** Defines which licences are allowed for code that is bundled into an image licensed under Apache-2.0. */

/** Licences that do not require their text to be distributed. */
const WITHOUT_TEXT_REQUIREMENT: ReadonlySet<string> = new Set(['0BSD', 'CC0-1.0', 'MIT-0', 'Unlicense']);

/** Licences that require nothing more than the distribution of their text. */
const ALLOWED: ReadonlySet<string> = new Set([
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  ...WITHOUT_TEXT_REQUIREMENT,
]);

export const requiresText = (licence: string): boolean => !WITHOUT_TEXT_REQUIREMENT.has(licence);

/** The first allowed alternative of an SPDX expression; undefined when the package must not be bundled. */
export function chosenLicence(expression: string): string | undefined {
  const plain = expression.replace(/^\((.*)\)$/, '$1');
  if (/[()]/.test(plain)) return undefined; // nested expressions are not supported, since no package has one so far
  return plain.split(' OR ').find(choice => choice.split(' AND ').every(id => ALLOWED.has(id.trim())));
}
