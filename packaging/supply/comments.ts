/** Notices that stand in the files of a package alone: code of others that it took in. A minified bundle has no comments. */
import { readFileSync } from 'node:fs';

/** Whole lines only: what looks like a comment within a text, such as "*\u002f*", is none. */
const COMMENT = /^[ \t]*\/\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*(?:\n|$))+/gm;
const LEGAL = /copyright|@licen[cs]e|licen[cs]ed|permission is hereby granted|public domain/i;

/** As they are written, but for their markers and margins. */
export const legalComments = (source: string): string[] =>
  (source.replaceAll('\r\n', '\n').match(COMMENT) ?? []).filter(comment => LEGAL.test(comment)).map(bare);

/** Of all these files, each text once, in the order of the files' names. */
export const legalCommentsOf = (files: readonly string[]): string[] => [
  ...new Set(files.toSorted().flatMap(file => legalComments(readFileSync(file, 'utf8')))),
];

function bare(comment: string): string {
  const lines = comment
    .trim()
    .replace(/^\/\*[*!]?|\*\/$/g, '')
    .split('\n')
    .map(line => line.replace(/^[ \t]*(?:\/\/|\*)? ?/, '').trimEnd());
  return lines.join('\n').trim();
}
