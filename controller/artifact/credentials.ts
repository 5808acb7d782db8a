/** Credentials for registries out of several Secrets, as one file. */

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

export class CredentialsError extends Error {}

/** `auths` of a config.json. Only the place of a fault may be said: the text is a secret. */
function authsIn({ name, text }: { name: string; text: string }): Record<string, unknown> {
  try {
    return fields(fields(JSON.parse(text)).auths);
  } catch {
    throw new CredentialsError(`Secret "${name}" does not hold credentials for registries: its text is not JSON`);
  }
}

/** The first Secret that knows a registry wins, as for a Pod's pull secrets. */
export const mergedCredentials = (secrets: readonly { name: string; text: string }[]): string =>
  JSON.stringify({ auths: Object.assign({}, ...secrets.map(authsIn).toReversed()) as Record<string, unknown> });
