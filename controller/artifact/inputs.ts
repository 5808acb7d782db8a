/** Reads the Secrets that a build is made of. */
import { shortHash } from '../../api/resource-name.js';
import { isNotFound } from '../../kube/errors.js';
import type { Kube, Stored } from '../../kube/kube.js';
import { SECRETS } from '../../kube/resources.js';
import type { Build, Definition } from './build.js';
import { CredentialsError, mergedCredentials } from './credentials.js';
import type { Input } from './facts.js';
import type { Rendered } from './files.js';
import { type DefinitionInput, ociSpec } from './oci-spec.js';
import { TemplateError } from './template/fault.js';

interface Secret extends Stored {
  /** In base64. */
  data?: Record<string, string>;
}

/** Something is not there, in words. */
class Missing extends Error {}
/** Something is there and is no good. */
class Wrong extends Error {}

export interface InputReader {
  kube: Pick<Kube, 'get'>;
  namespace: string | undefined;
}

/** `specId`: what of the build's id comes from the spec. */
export async function readInput(build: Build, specId: string, reader: InputReader): Promise<Input> {
  try {
    if (build.cloudConfig) await entry(build.cloudConfig, reader);
    const rendered = { definition: await definitionOf(build, reader), credentials: await credentialsOf(build, reader) };
    return { is: 'ready', rendered, id: idOf(specId, rendered) };
  } catch (error) {
    if (error instanceof Missing) return { is: 'missing', message: error.message };
    if (error instanceof Wrong || error instanceof CredentialsError) return { is: 'wrong', message: error.message };
    throw error;
  }
}

/** Other credentials make no other build. */
const idOf = (specId: string, { definition }: Rendered) => `${specId}-${shortHash(definition ?? '')}`;

export const isOf = (specId: string, id: string | undefined): boolean => id?.startsWith(`${specId}-`) ?? false;

async function secret(name: string, { kube, namespace }: InputReader): Promise<Record<string, string>> {
  try {
    return (await kube.get<Secret>(SECRETS, { name, namespace })).data ?? {};
  } catch (error) {
    if (isNotFound(error)) throw new Missing(`waiting for Secret "${name}"`);
    throw error;
  }
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

async function credentialsOf({ credentials, pullSecrets }: Build, reader: InputReader): Promise<string | undefined> {
  const wanted = [
    ...(credentials ? [credentials] : []),
    ...pullSecrets.map(({ name }) => ({ name, key: PULL_SECRET_KEY })),
  ];
  if (wanted.length === 0) return undefined;
  const read = [];
  for (const one of wanted) read.push({ name: one.name, text: await entry(one, reader) });
  return mergedCredentials(read);
}
