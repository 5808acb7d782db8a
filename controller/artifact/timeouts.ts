/** How often things are rechecked, and how long a build waits for them. */

/** Secrets are not watched, so a new one is only found by reading again. */
export const INPUT_RECHECK_MS = 5_000;
export const TERMINATING_RECHECK_MS = 2_000;
/** After a failed build the user may change one of its inputs, which starts another build. */
export const FAILED_RECHECK_MS = 15_000;
/** How long a build may lack an input, a node, an image or a permission. */
export const WAIT_LIMIT_MS = 3_600_000;
