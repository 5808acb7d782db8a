/** Generates THIRD-PARTY-NOTICES: the verbatim licence text of every package in an image. */
import { chosenLicence, requiresText } from './licences.js';
import type { Package } from './packages.js';

const LINE = '-'.repeat(100);

/** Throws when a licence is not allowed or its required text is missing. */
export function notices(image: string, packages: readonly Package[]): string {
  const faults = packages.flatMap(licenceFaults);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const head = `The image ${image} contains code of the following packages, each under its own licence.\n`;
  return [head, ...packages.map(section)].join(`\n${LINE}\n`);
}

function licenceFaults({ name, licence, texts }: Package): string[] {
  const chosen = chosenLicence(licence);
  if (chosen === undefined) return [`${name}: ${licence} is not an allowed licence for bundled code`];
  if (texts.length === 0 && requiresText(chosen))
    return [`${name}: ${chosen} requires its licence text, which the package does not contain`];
  return [];
}

function section({ name, version, licence, texts, comments }: Package): string {
  const chosen = chosenLicence(licence);
  const choice = chosen === licence ? licence : `${licence}, used under ${chosen}`;
  return `${[`${name} ${version}`, `Licence: ${choice}`, '', ...texts.flatMap(text => [text, '']), ...fileNotices(comments)].join('\n').trimEnd()}\n`;
}

const fileNotices = (comments: readonly string[]): string[] =>
  comments.length === 0 ? [] : ['Notices in its source files:', '', ...comments.flatMap(text => [text, ''])];
