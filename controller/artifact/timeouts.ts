/** How long is waited for what. */
import type { Stored } from '../../kube/kube.js';

/** Nobody tells us of a Secret that appears. */
export const INPUT_RECHECK_MS = 5_000;
export const TERMINATING_RECHECK_MS = 2_000;
/** After a failure somebody may be changing the Secret that the build was made by. */
export const FAILED_RECHECK_MS = 15_000;
/** How long a build may lack an input, a node or an image. */
export const PATIENCE_MS = 3_600_000;

export const isGoing = ({ metadata }: Pick<Stored, 'metadata'>): boolean => metadata.deletionTimestamp !== undefined;
