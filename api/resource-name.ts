/** Names of objects that the operator creates: bounded in length, stable, readable and unique. */
import { createHash } from 'node:crypto';

const JOB_NAME_LIMIT = 63;
const HASH_LENGTH = 10;

/** The first ten hexadecimal digits of the SHA-256 of the parts. */
export const shortHash = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, HASH_LENGTH);

/** Truncates to `limit` characters, without a dot or dash at the end (RFC 1123 labels end in a letter or digit). */
const truncate = (text: string, limit: number): string => text.slice(0, limit).replace(/[^a-z0-9]+$/, '');

/**
 * Returns `<readable>-<hash>` with at most 63 characters, because a Job's name becomes a label value and a part of Pod names. Dots in the
 * readable part become dashes, since the host names of Pods must not contain dots. `identity` makes the hash unique.
 */
export const boundedName = (readable: string, ...identity: readonly string[]): string =>
  `${truncate(readable.replaceAll('.', '-'), JOB_NAME_LIMIT - HASH_LENGTH - 1)}-${shortHash(readable, ...identity)}`;

const LABEL_LIMIT = 63;

/** An object name as label value: unchanged up to 63 characters (the limit of label values), otherwise truncated and with a hash. */
export const boundedLabelValue = (name: string): string =>
  name.length <= LABEL_LIMIT ? name : `${truncate(name, LABEL_LIMIT - HASH_LENGTH - 1)}-${shortHash(name)}`;
