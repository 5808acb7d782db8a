/** What the steps that build artifacts have in common. */
import type { RequestedOutput } from '../../../api/artifact-kinds.js';
import type { NamedObject } from '../../../api/passthrough.js';
import type { Build } from './build.js';
import type { Mount, Step } from './container.js';
import { inWorkFolder } from './scripts/work-folder.js';

/** What is particular to one of them. */
export interface KindStep {
  /** Run in a work folder; the last ones move the result to /artifacts. */
  commands: (folder: string) => readonly string[];
  mounts: readonly Mount[];
  env?: readonly NamedObject[];
}

export type KindStepBuilder = (output: RequestedOutput, build: Build) => KindStep;

/** Paths below /artifacts of the files of an output. */
export const filesOf = ({ kind, endings }: RequestedOutput, { names }: Build): string[] =>
  endings.map(ending => names[kind] + ending);

export function kindStep(output: RequestedOutput, build: Build, builder: KindStepBuilder): Step {
  const { commands, mounts, env } = builder(output, build);
  const { step, kind } = output;
  return {
    name: step,
    runs: 'tool',
    script: inWorkFolder(build, step, commands),
    mounts,
    env,
    /* auroraboot creates loop devices and mounts file systems. */
    privileged: true,
    kind,
    files: filesOf(output, build),
  };
}
