/** Merges registry credentials from several Secrets into one file. */
import { NESTED_LIMITS, parseNested } from '../../../api/json-limits.js';

/** Secrets have at most 1 MiB. */
const LIMITS = { ...NESTED_LIMITS, bytes: 1024 * 1024 };

export const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

export class CredentialsError extends Error {}

export interface RegistryLogin {
  secretName: string;
  text: string;
  /** The text is only what a config.json has under `auths`. */
  isLegacy?: boolean;
}

/** The error names the Secret and never quotes the text, which contains passwords. */
function authsIn({ secretName, text, isLegacy }: RegistryLogin): Record<string, unknown> {
  const parsed = parseNested(text, LIMITS);
  if (parsed === undefined)
    throw new CredentialsError(
      `Secret "${secretName}" has no valid registry credentials: the text is not JSON, or has more than ${LIMITS.values} values`,
    );
  return isLegacy ? fieldsOf(parsed) : fieldsOf(fieldsOf(parsed).auths);
}

/** The first Secret with a registry takes precedence, as for the pull secrets of a Pod. */
export const mergedCredentials = (logins: readonly RegistryLogin[]): string =>
  JSON.stringify({ auths: Object.assign({}, ...logins.map(authsIn).toReversed()) as Record<string, unknown> });
