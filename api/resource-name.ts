/** Names of objects we make: bounded, stable, readable, and never two for one. */
import { createHash } from 'node:crypto';

const JOB_NAME_LIMIT = 63;
const HASH_LENGTH = 10;

/** The first characters of the SHA-256 of the parts, in hexadecimal. */
export const shortHash = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, HASH_LENGTH);

/** Cut to at most `limit` characters, with no dot or dash at the cut (RFC 1123 labels end in a letter or digit). */
const cut = (text: string, limit: number): string => text.slice(0, limit).replace(/[^a-z0-9]+$/, '');

/**
 * `<readable>-<hash>` of at most 63 characters: a Job's name becomes a label value and part of Pod names.
 * The readable part has its dots turned into dashes, since Pod host names may not have any.
 */
export const boundedName = (readable: string, ...identity: readonly string[]): string =>
  `${cut(readable.replaceAll('.', '-'), JOB_NAME_LIMIT - HASH_LENGTH - 1)}-${shortHash(readable, ...identity)}`;

const LABEL_LIMIT = 63;

/** A name as label value: itself where it fits (63 characters), else its beginning and a hash. */
export const boundedLabelValue = (name: string): string =>
  name.length <= LABEL_LIMIT ? name : `${cut(name, LABEL_LIMIT - HASH_LENGTH - 1)}-${shortHash(name)}`;
