/**
 * What is recorded about rendering a template: before it starts, that it does, so that a template that ends the controller is not rendered
 * again and again; after it failed, the fault, so that it is rendered again only when its inputs have changed.
 */
import type { OSArtifactStatus } from '../../../api/os-artifact.js';

export type RenderingStatus = NonNullable<OSArtifactStatus['rendering']>;

/** How often the same template may exceed what rendering has, or be interrupted by the end of the controller. */
export const MAX_RENDERINGS = 3;

/** The record of the same inputs, if there is one. */
const recordOf = (status: OSArtifactStatus | undefined, inputs: string): RenderingStatus | undefined =>
  status?.rendering?.inputs === inputs ? status.rendering : undefined;

/** The record to write before rendering. What an earlier run of the controller has started and not ended counts as interrupted. */
export function startedRendering(status: OSArtifactStatus | undefined, inputs: string, run: string): RenderingStatus {
  const record = recordOf(status, inputs);
  const interrupted = record?.interrupted ?? 0;
  const isOther = record?.run !== undefined && record.run !== run;
  return {
    inputs,
    run,
    ...(interrupted + (isOther ? 1 : 0) > 0 ? { interrupted: interrupted + (isOther ? 1 : 0) } : {}),
  };
}

/** Whether `next` is in the status already. */
export const isRecorded = (status: OSArtifactStatus | undefined, next: RenderingStatus): boolean => {
  const record = recordOf(status, next.inputs);
  return record?.run === next.run && record?.interrupted === next.interrupted;
};

/** Why these inputs are not rendered any more; undefined if they may be. */
export function rejectionOf(status: OSArtifactStatus | undefined, inputs: string, run: string): string | undefined {
  const record = recordOf(status, inputs);
  if (record?.rejected !== undefined) return record.rejected;
  const { interrupted = 0 } = startedRendering(status, inputs, run);
  if (interrupted < MAX_RENDERINGS) return undefined;
  return `the definition was rendered ${MAX_RENDERINGS} times without an end: it is rendered again when it changes`;
}

/** Rendering failed. `isFinal`: it would fail in the same way again. */
export class RenderingFailedError extends Error {
  readonly rendering: RenderingStatus;
  readonly isFinal: boolean;

  constructor(message: string, before: RenderingStatus, isFault: boolean) {
    const { inputs, interrupted = 0 } = before;
    const isFinal = isFault || interrupted + 1 >= MAX_RENDERINGS;
    super(isFinal ? message : `${message}; it is tried again`);
    this.isFinal = isFinal;
    this.rendering = isFinal ? { inputs, rejected: message } : { inputs, interrupted: interrupted + 1 };
  }
}
