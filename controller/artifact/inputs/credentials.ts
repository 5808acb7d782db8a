/** Credentials for registries out of several Secrets, as one file. */

export const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

export class CredentialsError extends Error {}

export interface RegistryLogin {
  /** Of its Secret. */
  name: string;
  text: string;
  /** It is what a config.json has under `auths`. */
  isOld?: boolean;
}

/** `auths` of a config.json. Only the place of a fault may be said: the text is a secret. */
function authsIn({ name, text, isOld }: RegistryLogin): Record<string, unknown> {
  try {
    const parsed = fields(JSON.parse(text));
    return isOld ? parsed : fields(parsed.auths);
  } catch {
    throw new CredentialsError(`Secret "${name}" does not hold credentials for registries: its text is not JSON`);
  }
}

/** The first Secret that knows a registry wins, as for a Pod's pull secrets. */
export const mergedCredentials = (secrets: readonly RegistryLogin[]): string =>
  JSON.stringify({ auths: Object.assign({}, ...secrets.map(authsIn).toReversed()) as Record<string, unknown> });
