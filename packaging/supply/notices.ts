/** THIRD-PARTY-NOTICES: the licence of every package in an image, word by word, as they ask for. */
import { chosenLicence, wantsItsText } from './licences.js';
import type { Package } from './packages.js';

const LINE = '-'.repeat(100);

/** Throws for a licence that is not allowed, or whose text is missing. */
export function notices(image: string, packages: readonly Package[]): string {
  const faults = packages.flatMap(faultsOf);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const head = `The image ${image} holds pieces of the following packages, under their own licences.\n`;
  return [head, ...packages.map(section)].join(`\n${LINE}\n`);
}

function faultsOf({ name, licence, texts }: Package): string[] {
  const chosen = chosenLicence(licence);
  if (chosen === undefined) return [`${name}: ${licence} is not among the licences that may be bundled`];
  if (texts.length === 0 && wantsItsText(chosen))
    return [`${name}: ${chosen} wants its text, which the package does not have`];
  return [];
}

function section({ name, version, licence, texts, comments }: Package): string {
  const chosen = chosenLicence(licence);
  const choice = chosen === licence ? licence : `${licence}, here under ${chosen}`;
  return `${[`${name} ${version}`, `Licence: ${choice}`, '', ...texts.flatMap(text => [text, '']), ...inFiles(comments)].join('\n').trimEnd()}\n`;
}

const inFiles = (comments: readonly string[]): string[] =>
  comments.length === 0 ? [] : ['Notices in its files:', '', ...comments.flatMap(text => [text, ''])];
