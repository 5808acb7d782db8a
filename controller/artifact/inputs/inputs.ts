/** Reads the Secrets that a build is made of. */
import { shortHash } from '../../../api/resource-name.js';
import { isForbidden, isNotFound } from '../../../kube/errors.js';
import type { Kube, Resource, Stored } from '../../../kube/kube.js';
import { CONFIG_MAPS, SECRETS } from '../../../kube/resources.js';
import type { Named } from '../../../api/passthrough.js';
import type { Build, Definition } from '../build/build.js';
import { CredentialsError, fields, mergedCredentials, type RegistryLogin } from './credentials.js';
import type { Input } from '../facts.js';
import { type DefinitionInput, ociSpec } from '../build/oci-spec.js';
import { TemplateError } from '../template/fault.js';

interface Secret extends Stored {
  /** In base64. */
  data?: Record<string, string>;
}

/** Something is not there, in words. */
class Missing extends Error {}
/** Something is there and is no good. */
class Wrong extends Error {}

export interface Inputs {
  kube: Pick<Kube, 'get'>;
  namespace: string | undefined;
}

interface InputReader extends Inputs {
  /** State of each object that was read. */
  seen: Map<string, string>;
}

/** `specId`: what of the build's id comes from the spec. */
export async function readInput(build: Build, specId: string, inputs: Inputs): Promise<Input> {
  const reader: InputReader = { ...inputs, seen: new Map() };
  try {
    if (build.cloudConfig) await cloudConfigThere(build.cloudConfig, reader);
    for (const volume of build.volumes) await volumeThere(volume, reader);
    const rendered = { definition: await definitionOf(build, reader), credentials: await credentialsOf(build, reader) };
    return { is: 'ready', rendered, id: idOf(specId, reader) };
  } catch (error) {
    if (error instanceof Missing) return { is: 'missing', message: error.message };
    if (error instanceof Wrong || error instanceof CredentialsError) return { is: 'wrong', message: error.message };
    throw error;
  }
}

/** Whatever changes of what was read makes another build. Of the content itself not even a hash is told. */
const idOf = (specId: string, { seen }: InputReader) =>
  `${specId}-${shortHash(...[...seen].map(one => one.join('@')).toSorted())}`;

export const isOf = (specId: string, id: string | undefined): boolean => id?.startsWith(`${specId}-`) ?? false;

async function read(resource: Resource, name: string, { kube, namespace, seen }: InputReader): Promise<Secret> {
  try {
    const found = await kube.get<Secret>(resource, { name, namespace });
    seen.set(`${resource.kind}/${name}`, `${found.metadata.uid}/${found.metadata.resourceVersion ?? ''}`);
    return found;
  } catch (error) {
    if (isNotFound(error)) throw new Missing(`waiting for ${resource.kind} "${name}"`);
    if (isForbidden(error)) throw new Missing(`${resource.kind} "${name}" may not be read: ${error.message}`);
    throw error;
  }
}

const secret = async (name: string, reader: InputReader) => (await read(SECRETS, name, reader)).data ?? {};

/** Without it the builder Pod would wait, and nobody would hear of what. */
async function volumeThere({ secret: ofSecret, configMap }: Named, reader: InputReader): Promise<void> {
  const wanted = (value: unknown, key: string): string | undefined => {
    const { [key]: name, optional } = fields(value);
    return typeof name === 'string' && optional !== true ? name : undefined;
  };
  const [secretName, configMapName] = [wanted(ofSecret, 'secretName'), wanted(configMap, 'name')];
  if (secretName !== undefined) await secret(secretName, reader);
  if (configMapName !== undefined) await read(CONFIG_MAPS, configMapName, reader);
}

function decoded(code: string, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(code, 'base64'));
  } catch {
    throw new Wrong(`${what} is not text`);
  }
}

async function entry({ name, key }: { name: string; key: string }, reader: InputReader): Promise<string> {
  const data = await secret(name, reader);
  const code = data[key];
  if (code === undefined) {
    const others = Object.keys(data).toSorted();
    const has = others.length === 0 ? 'nothing' : others.map(other => `"${other}"`).join(', ');
    throw new Missing(`waiting for an entry "${key}" in Secret "${name}": it has ${has}`);
  }
  return decoded(code, `entry "${key}" of Secret "${name}"`);
}

/** auroraboot refuses an empty one, late. */
async function cloudConfigThere(at: { name: string; key: string }, reader: InputReader): Promise<void> {
  const text = await entry(at, reader);
  if (text.trim() === '')
    throw new Wrong(`entry "${at.key}" of Secret "${at.name}" is empty: it must be a cloud-config`);
}

async function valuesFrom({ valuesFrom: from }: Definition, reader: InputReader): Promise<Record<string, string>> {
  if (!from) return {};
  if (from.key !== undefined) return { [from.key]: await entry({ name: from.name, key: from.key }, reader) };
  const data = await secret(from.name, reader);
  return Object.fromEntries(
    Object.entries(data).map(([key, code]) => [key, decoded(code, `entry "${key}" of Secret "${from.name}"`)]),
  );
}

async function definitionOf({ source }: Build, reader: InputReader): Promise<string | undefined> {
  if (source.is === 'image') return undefined;
  const { definition } = source;
  const input: DefinitionInput | undefined = definition && {
    text: await entry(definition.text, reader),
    values: await valuesFrom(definition, reader),
  };
  try {
    return ociSpec(source, input);
  } catch (error) {
    if (!(error instanceof TemplateError) || !definition) throw error;
    throw new Wrong(`entry "${definition.text.key}" of Secret "${definition.text.name}", ${error.message}`);
  }
}

const PULL_SECRET_KEY = '.dockerconfigjson';
/** The older form: what stands under `auths` in the newer one. */
const OLD_PULL_SECRET_KEY = '.dockercfg';

async function pullSecret(name: string, reader: InputReader): Promise<RegistryLogin> {
  const data = await secret(name, reader);
  const isOld = data[PULL_SECRET_KEY] === undefined && data[OLD_PULL_SECRET_KEY] !== undefined;
  const key = isOld ? OLD_PULL_SECRET_KEY : PULL_SECRET_KEY;
  return { name, text: await entry({ name, key }, reader), isOld };
}

async function credentialsOf({ credentials, pullSecrets }: Build, reader: InputReader): Promise<string | undefined> {
  if (!credentials && pullSecrets.length === 0) return undefined;
  const logins: RegistryLogin[] = [];
  if (credentials) logins.push({ name: credentials.name, text: await entry(credentials, reader) });
  for (const { name } of pullSecrets) logins.push(await pullSecret(name, reader));
  return mergedCredentials(logins);
}
