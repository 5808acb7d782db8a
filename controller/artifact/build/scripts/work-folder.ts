/** Scripts of steps that work in a folder of their own. */
import { inOrder, word } from './shell.js';

/** The volume for everything that is not a result. */
export const SCRATCH_FOLDER = '/scratch';

export interface WorkFolder {
  path: string;
  /** Commands that put a file of the step into /artifacts, under a name. */
  publish: (source: string, name: string) => string[];
}

/**
 * The result is readable by every user: some tools create files for root only, and exporters run as other users. It appears under its name when it is
 * complete. Neither owner nor mode is set on the volume, since not every file system allows that.
 */
const publisher =
  (partial: string): WorkFolder['publish'] =>
  (source, name) => [
    `chmod -R a+rX ${source}`,
    `cp ${source} ${word(partial)}`,
    `mv ${word(partial)} ${word(`/artifacts/${name}`)}`,
  ];

/** The end of the log is the reason of a failure, and must not be pushed out of a message. */
const QUIETLY = '{ set +x; } 2>/dev/null';

/**
 * Runs commands in a folder of the step. Everything in it is the result of this step, whatever its name, and temporary files of its tools.
 * The name of the object is part of the path of an incomplete result because several objects may build in the same user volume. `onExit`: runs before
 * the folder is removed, after a failure, too.
 */
export function inWorkFolder(
  { artifactName }: { artifactName: string },
  step: string,
  commands: (folder: WorkFolder) => readonly string[],
  onExit: (path: string) => readonly string[] = () => [],
): string {
  const path = `${SCRATCH_FOLDER}/kairos-operator-build.${step}`;
  const partial = `/artifacts/.${artifactName}-${step}`;
  return inOrder(
    `trap '${[QUIETLY, ...onExit(path), `rm -rf ${path} ${partial}`].join('; ')}' EXIT`,
    `rm -rf ${path}`,
    `mkdir -p ${path}/tmp`,
    `export TMPDIR=${path}/tmp`,
    ...commands({ path, publish: publisher(partial) }),
  );
}

/** Publishes the single file that matches `pattern`. */
export const publishResult = ({ path, publish }: WorkFolder, pattern: string, name: string): string[] => [
  `file=$(ls ${path}/${pattern} 2>/dev/null | head -n1)`,
  '[ -n "$file" ]',
  ...publish('"$file"', name),
];
