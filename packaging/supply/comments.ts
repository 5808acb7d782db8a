/** Extracts legal notices from source comments. Code that a package copied from others often carries its notice only there, and a minified bundle has no comments. */
import { readFileSync } from 'node:fs';

/** Matches comments that start a line; a sequence such as "*\u002f*" inside a string is not a comment. */
const COMMENT = /^[ \t]*\/\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*(?:\n|$))+/gm;
const LEGAL = /copyright|@licen[cs]e|licen[cs]ed|permission is hereby granted|public domain/i;

/** The legal comments of a source text, without comment markers and margins. */
export const legalComments = (source: string): string[] =>
  (source.replaceAll('\r\n', '\n').match(COMMENT) ?? []).filter(comment => LEGAL.test(comment)).map(withoutMarkers);

/** The legal comments of all files without duplicates, in the order of the file names. */
export const legalCommentsOf = (files: readonly string[]): string[] => [
  ...new Set(files.toSorted().flatMap(file => legalComments(readFileSync(file, 'utf8')))),
];

function withoutMarkers(comment: string): string {
  const lines = comment
    .trim()
    .replace(/^\/\*[*!]?|\*\/$/g, '')
    .split('\n')
    .map(line => line.replace(/^[ \t]*(?:\/\/|\*)? ?/, '').trimEnd());
  return lines.join('\n').trim();
}
