/** Scripts of steps that work in a folder of their own. */
import type { Build } from './build.js';
import { inOrder, word } from './shell.js';

/**
 * A step in a folder of its own: what it made is known there, whatever it is called, and comes out when it is whole. Several objects may build
 * in one volume of the user's.
 */
export function inStepWorkdir({ object }: Build, step: string, work: (folder: string) => readonly string[]): string {
  const folder = `/artifacts/.${object}-${step}`;
  /* Also when it fails: there may be passwords in it. */
  return inOrder(`trap 'rm -rf ${folder}' EXIT`, `rm -rf ${folder}`, `mkdir -p ${folder}`, ...work(folder));
}

/** The one file that is `found` there, under the name that was wished for. */
export const takeOut = (found: string, name: string): string[] => [
  `file=$(ls ${found} 2>/dev/null | head -n1)`,
  '[ -n "$file" ]',
  `mv "$file" ${word(`/artifacts/${name}`)}`,
];
