/**
 * Specs that are too large to be kept in a cache: thousands of them would not fit the heap. The cache keeps their small fields, and the
 * controller reads the whole object when its turn comes.
 */
import type { Kube, Resource, Stored } from '../../kube/kube.js';
import { pruneMetadata } from './metadata.js';
import { KEPT_ANNOTATIONS } from './kept-annotations.js';

/** Far more than a command or a selector that a person writes. */
export const MAX_CACHED_SPEC_LENGTH = 16 * 1024;
const MAX_CACHED_FIELD_LENGTH = 512;

interface WithSpec extends Stored {
  spec?: object;
}

/** Stands for a command that is too large to be kept. */
const COMMAND = ['too large to be cached'];
/** Matches no node, so that an operation holds no place on nodes before its selector is read. */
const NO_NODES = { matchLabels: { 'operator.kairos.io/selector': 'too-large' } };

/** Required fields, and those whose absence would mean something else. */
const PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  command: COMMAND,
  image: 'too-large',
  nodeSelector: NO_NODES,
};

const isSmall = (value: unknown): boolean =>
  value === undefined || JSON.stringify(value).length <= MAX_CACHED_FIELD_LENGTH;

const cutField = ([key, value]: [string, unknown]): [string, unknown][] => {
  if (isSmall(value)) return [[key, value]];
  return Object.hasOwn(PLACEHOLDERS, key) ? [[key, PLACEHOLDERS[key]]] : [];
};

/** For the kinds of this operator: metadata that is read, the status, and the spec if it is not too large. */
export function pruneOwnKind<T extends WithSpec>(object: T): T {
  const pruned = { ...object, metadata: pruneMetadata(object.metadata, KEPT_ANNOTATIONS) };
  if (JSON.stringify(object.spec ?? {}).length <= MAX_CACHED_SPEC_LENGTH) return pruned;
  return { ...pruned, spec: Object.fromEntries(Object.entries(object.spec ?? {}).flatMap(cutField)), isSpecCut: true };
}

const isSpecCut = (object: Stored): boolean => 'isSpecCut' in object;

/**
 * The object with its whole spec, read from the API server if the cache does not have it; undefined if it does not exist any more. By a list of
 * one, because the controller may list all kinds of its own, but not get each of them.
 */
export async function withWholeSpec<T extends WithSpec>(
  kube: Pick<Kube, 'list'>,
  resource: Resource,
  cached: T | undefined,
): Promise<T | undefined> {
  if (cached === undefined || !isSpecCut(cached)) return cached;
  const { namespace, name, uid } = cached.metadata;
  const { items } = await kube.list<T>(resource, { namespace, fieldSelector: `metadata.name=${name}` });
  return items.find(({ metadata }) => metadata.uid === uid);
}
