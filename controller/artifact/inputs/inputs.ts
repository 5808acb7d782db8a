/** Reads the Secrets and ConfigMaps that a build uses. */
import type { NamedObject } from '../../../api/passthrough.js';
import { shortHash } from '../../../api/resource-name.js';
import { isForbidden, isNotFound } from '../../../kube/errors.js';
import type { Kube, Resource, Stored } from '../../../kube/kube.js';
import { CONFIG_MAPS, SECRETS } from '../../../kube/resources.js';
import type { Build, DockerfileTemplate } from '../build/build.js';
import type { BuildInputs, InputState } from '../facts.js';
import { CredentialsError, fieldsOf, mergedCredentials, type RegistryLogin } from './credentials.js';
import { ownValue } from '../../../program/own-value.js';

interface Secret extends Stored {
  /** In base64. */
  data?: Record<string, string>;
}

class MissingInput extends Error {}
class InvalidInput extends Error {}

export interface InputSource {
  kube: Pick<Kube, 'get'>;
  namespace: string | undefined;
}

interface InputReader extends InputSource {
  /** UID and resource version of each object that was read. */
  versions: Map<string, string>;
  /** About inputs that a build can go on without. */
  warnings: string[];
}

/** `specId`: the part of the build's id that depends on the spec. */
export async function readInput(build: Build, specId: string, source: InputSource): Promise<InputState> {
  const reader: InputReader = { ...source, versions: new Map(), warnings: [] };
  try {
    if (build.cloudConfig) await checkCloudConfig(build.cloudConfig, reader);
    for (const volume of build.volumes) await checkVolumeSource(volume, reader);
    const inputs = { template: await templateOf(build, reader), credentials: await credentialsOf(build, reader) };
    return { is: 'ready', inputs: { ...inputs, warnings: reader.warnings }, id: idOf(specId, reader) };
  } catch (error) {
    if (error instanceof MissingInput) return { is: 'missing', message: error.message };
    if (error instanceof InvalidInput || error instanceof CredentialsError)
      return { is: 'invalid', message: error.message };
    throw error;
  }
}

/** A changed input makes another build. The id is public, so it depends on versions and not on the secret content. */
const idOf = (specId: string, { versions }: InputReader) =>
  `${specId}-${shortHash(...[...versions].map(entry => entry.join('@')).toSorted())}`;

export const isBuildOf = (specId: string, id: string | undefined): boolean => id?.startsWith(`${specId}-`) ?? false;

async function read(resource: Resource, name: string, { kube, namespace, versions }: InputReader): Promise<Secret> {
  try {
    const found = await kube.get<Secret>(resource, { name, namespace });
    versions.set(`${resource.kind}/${name}`, `${found.metadata.uid}/${found.metadata.resourceVersion ?? ''}`);
    return found;
  } catch (error) {
    if (isNotFound(error)) throw new MissingInput(`waiting for ${resource.kind} "${name}"`);
    if (isForbidden(error)) throw new MissingInput(`${resource.kind} "${name}" may not be read: ${error.message}`);
    throw error;
  }
}

const readSecret = async (name: string, reader: InputReader) => (await read(SECRETS, name, reader)).data ?? {};

/** Without this check the builder Pod would wait for the volume, and the reason would only be visible in Events of the Pod. */
async function checkVolumeSource({ secret, configMap }: NamedObject, reader: InputReader): Promise<void> {
  const requiredName = (source: unknown, key: string): string | undefined => {
    const { [key]: name, optional } = fieldsOf(source);
    return typeof name === 'string' && optional !== true ? name : undefined;
  };
  const [secretName, configMapName] = [requiredName(secret, 'secretName'), requiredName(configMap, 'name')];
  if (secretName !== undefined) await readSecret(secretName, reader);
  if (configMapName !== undefined) await read(CONFIG_MAPS, configMapName, reader);
}

function decode(code: string, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(code, 'base64'));
  } catch {
    throw new InvalidInput(`${what} is not UTF-8 text`);
  }
}

/** Names only the entry that the spec names: those that exist may be secret as well. */
async function readEntry({ name, key }: { name: string; key: string }, reader: InputReader): Promise<string> {
  const data = await readSecret(name, reader);
  const code = ownValue(data, key);
  if (code === undefined) throw new MissingInput(`waiting for an entry "${key}" in Secret "${name}"`);
  return decode(code, `entry "${key}" of Secret "${name}"`);
}

/** auroraboot rejects an empty cloud-config, but only after the image was unpacked. */
async function checkCloudConfig(at: { name: string; key: string }, reader: InputReader): Promise<void> {
  const text = await readEntry(at, reader);
  if (text.trim() === '')
    throw new InvalidInput(`entry "${at.key}" of Secret "${at.name}" is empty: it must be a cloud-config`);
}

async function readValues({ valuesFrom }: DockerfileTemplate, reader: InputReader): Promise<Record<string, string>> {
  if (!valuesFrom) return {};
  const { name, key } = valuesFrom;
  if (key !== undefined) return { [key]: await readEntry({ name, key }, reader) };
  const entries = Object.entries(await readSecret(name, reader));
  return Object.fromEntries(entries.map(([entry, code]) => [entry, decode(code, `an entry of Secret "${name}"`)]));
}

/** The template with its values; those of the spec take precedence. */
async function templateOf({ source }: Build, reader: InputReader): Promise<BuildInputs['template']> {
  if (source.is === 'image' || !source.template) return undefined;
  const { template } = source;
  const { text, values } = template;
  return {
    what: `entry "${text.key}" of Secret "${text.name}"`,
    template: await readEntry(text, reader),
    values: { ...(await readValues(template, reader)), ...values },
  };
}

const PULL_SECRET_KEY = '.dockerconfigjson';
/** The legacy format: what the current one has under `auths`. */
const LEGACY_PULL_SECRET_KEY = '.dockercfg';

/** As the kubelet does, a build goes on without a pull secret that is missing or has no credentials: the image may be public. */
async function readPullSecret(name: string, reader: InputReader): Promise<RegistryLogin[]> {
  const data = await readSecret(name, reader).catch((error: unknown) => {
    if (!(error instanceof MissingInput)) throw error;
    reader.warnings.push(`imagePullSecrets: there is no Secret "${name}"; images are pulled without it`);
  });
  if (data === undefined) return [];
  const key = [PULL_SECRET_KEY, LEGACY_PULL_SECRET_KEY].find(each => data[each] !== undefined);
  if (key === undefined) {
    reader.warnings.push(`imagePullSecrets: Secret "${name}" has no entry "${PULL_SECRET_KEY}"; it is not used`);
    return [];
  }
  const isLegacy = key === LEGACY_PULL_SECRET_KEY;
  return [{ secretName: name, text: await readEntry({ name, key }, reader), isLegacy }];
}

async function credentialsOf({ credentials, pullSecrets }: Build, reader: InputReader): Promise<string | undefined> {
  if (!credentials && pullSecrets.length === 0) return undefined;
  const logins: RegistryLogin[] = [];
  if (credentials) logins.push({ secretName: credentials.name, text: await readEntry(credentials, reader) });
  for (const { name } of pullSecrets) logins.push(...(await readPullSecret(name, reader)));
  return mergedCredentials(logins);
}
