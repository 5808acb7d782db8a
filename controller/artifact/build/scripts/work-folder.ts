/** Scripts of steps that work in a folder of their own. */
import { inOrder, word } from './shell.js';

/**
 * Runs commands in a hidden folder of the step. Everything in it is the result of this step, whatever its name, and only complete files are moved out.
 * The name of the object is part of the path because several objects may build in the same user volume.
 */
export function inWorkFolder(
  { artifactName }: { artifactName: string },
  step: string,
  commands: (folder: string) => readonly string[],
): string {
  const folder = `/artifacts/.${artifactName}-${step}`;
  /* The folder is removed after a failure, too: a cloud-config in it may contain passwords. */
  return inOrder(`trap 'rm -rf ${folder}' EXIT`, `rm -rf ${folder}`, `mkdir -p ${folder}`, ...commands(folder));
}

/** Moves the single file that matches `pattern` to /artifacts, under the requested name. */
export const moveResult = (pattern: string, name: string): string[] => [
  `file=$(ls ${pattern} 2>/dev/null | head -n1)`,
  '[ -n "$file" ]',
  `mv "$file" ${word(`/artifacts/${name}`)}`,
];
