/** What the steps that build artifacts have in common. */
import type { RequestedOutput } from '../../../api/artifact-kinds.js';
import type { NamedObject } from '../../../api/passthrough.js';
import type { Build } from './build.js';
import type { Mount, Step } from './container.js';
import { inWorkFolder, type WorkFolder } from './scripts/work-folder.js';
import { SCRATCH } from './volumes.js';

/** What is particular to one of them. */
export interface KindStep {
  /** Run in a work folder; the last ones publish the result. */
  commands: (folder: WorkFolder) => readonly string[];
  /** Run before that folder is removed. */
  onExit?: (path: string) => readonly string[];
  mounts: readonly Mount[];
  env?: readonly NamedObject[];
  /** Files beside those that every output of the kind has. */
  moreFiles?: readonly string[];
}

export type KindStepBuilder = (output: RequestedOutput, build: Build) => KindStep;

/** Paths below /artifacts of the files of an output. */
export const filesOf = ({ kind, endings, isSource }: RequestedOutput, { names }: Build): string[] =>
  isSource === true ? [] : endings.map(ending => names[kind] + ending);

export function kindStep(output: RequestedOutput, build: Build, builder: KindStepBuilder): Step {
  const { commands, onExit, mounts, env, moreFiles = [] } = builder(output, build);
  const { step, kind, isPrivileged } = output;
  return {
    name: step,
    runs: 'tool',
    script: inWorkFolder(build, step, commands, onExit),
    mounts: [SCRATCH, ...mounts],
    env,
    privileged: isPrivileged,
    kind,
    files: [...filesOf(output, build), ...moreFiles],
  };
}
