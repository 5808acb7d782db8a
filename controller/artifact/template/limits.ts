/** Limits for a template. They bound memory and time before the limits of the worker do, and give an error with a place. */

/** The size limit of a Secret, in which the result is stored. No value that is computed may be larger either. */
export const MAX_BYTES = 1024 * 1024;
/** Tokens lexed and parsed, nodes evaluated, functions called, and texts read and made, counted in pieces of `BYTES_PER_STEP`: about one second of work. */
export const MAX_STEPS = 1_000_000;
export const BYTES_PER_STEP = 64;
/** A text that is made also takes memory, until it is collected. With this factor, at most 16 MiB are made. */
export const RESULT_FACTOR = 4;
/** A limit for steps that cost more than their count suggests. */
export const MAX_MS = 2_000;
/** Each takes about 100 bytes of memory, and again as much when it is parsed. */
export const MAX_TOKENS = 100_000;
/** Each use of a variable searches all that are in scope. */
export const MAX_VARIABLES = 1_000;
/** Converting a number takes quadratic time. */
export const MAX_NUMBER_LENGTH = 1_000;
/** The limit for nested control structures, and for nested parentheses. */
export const MAX_DEPTH = 100;
