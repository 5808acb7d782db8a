/** What a small API server remembers: objects with versions, and what happened to them since. */
import { randomUUID } from 'node:crypto';
import { applyMergePatch, isSameJson } from '../../kube/merge-patch.js';
import { sortedAndFrozen } from './sorted-keys.js';

export interface StoredObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    generation?: number;
    labels?: Record<string, string>;
    finalizers?: string[];
    [other: string]: unknown;
  };
  [other: string]: unknown;
}

export type ApiResponse = { code: number; body: unknown };
export interface StoreEvent {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: StoredObject;
  /** As it was; absent: it was not there. */
  previous?: StoredObject;
}

export interface StoreOptions {
  now?: () => Date;
  /** For the n-th object under this key. */
  uid?: (key: string) => string;
  /** Every rule of the real one: status apart from the rest, no event without a change, objects that nobody can change. */
  strict?: boolean;
}

/** Where a request points: `collection` is group/version/plural. */
export interface ResourcePath {
  collection: string;
  namespace?: string;
  name?: string;
  subresource?: string;
}

export const failureResponse = (code: number, reason: string, message: string, details: object = {}): ApiResponse => ({
  code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details },
});

const notFound = (place: ResourcePath) =>
  failureResponse(404, 'NotFound', `${place.collection} ${place.name} not found`);
const keyOf = (namespace: string | undefined, name: string) => `${namespace ?? ''}/${name}`;

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? { ...value } : {});

export class ObjectStore {
  version = 1000;
  /** Watches may not begin before this. */
  oldestVersion = 0;
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  readonly #history = new Map<string, StoreEvent[]>();
  readonly #listeners = new Set<(collection: string, happened: StoreEvent) => void>();
  readonly #now: () => Date;
  readonly #uid: (key: string) => string;
  readonly #strict: boolean;

  constructor({ now = () => new Date(), uid = () => randomUUID(), strict = false }: StoreOptions = {}) {
    this.#now = now;
    this.#uid = uid;
    this.#strict = strict;
  }

  objectsOf(place: ResourcePath): Map<string, StoredObject> {
    const found = this.#objects.get(place.collection) ?? new Map<string, StoredObject>();
    this.#objects.set(place.collection, found);
    return found;
  }

  history(collection: string): StoreEvent[] {
    return this.#history.get(collection) ?? [];
  }

  onEvent(listener: (collection: string, happened: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets what happened up to now: watches from before are told 410. */
  compact(): void {
    this.version += 1;
    this.oldestVersion = this.version;
  }

  all(place: ResourcePath): StoredObject[] {
    return [...this.objectsOf(place).values()].filter(
      object => place.namespace === undefined || object.metadata.namespace === place.namespace,
    );
  }

  get(place: ResourcePath): StoredObject | undefined {
    return this.objectsOf(place).get(keyOf(place.namespace, place.name ?? ''));
  }

  create(place: ResourcePath, body: Fields): ApiResponse {
    const meta = fieldsOf(body.metadata);
    const generated = `${String(meta.generateName)}${this.#uid(place.collection).slice(-5)}`;
    const name = typeof meta.name === 'string' ? meta.name : generated;
    if (this.get({ ...place, name }))
      return failureResponse(409, 'AlreadyExists', `${place.collection} ${name} already exists`);
    const metadata = {
      ...meta,
      name,
      namespace: place.namespace,
      uid: this.#uid(`${place.collection} ${keyOf(place.namespace, name)}`),
      resourceVersion: '',
      generation: 1,
      creationTimestamp: this.#now().toISOString(),
    };
    return { code: 201, body: this.#save(place, 'ADDED', { ...body, metadata }) };
  }

  /** Puts the whole object there, status and all, as only a test may. */
  put(place: ResourcePath, wished: Fields): StoredObject {
    const name = String(fieldsOf(wished.metadata).name);
    const known = this.get({ ...place, name });
    const given = {
      uid: known?.metadata.uid ?? this.#uid(`${place.collection} ${keyOf(place.namespace, name)}`),
      generation: known?.metadata.generation ?? 1,
    };
    const metadata = { ...given, ...fieldsOf(wished.metadata) };
    const next: Fields = { ...wished, metadata: { ...metadata, resourceVersion: known?.metadata.resourceVersion } };
    if (known && isSameJson(next, known)) return known;
    return this.#save(place, known ? 'MODIFIED' : 'ADDED', next as StoredObject);
  }

  /** Takes it away at once, whatever stands on it. */
  remove(place: ResourcePath): void {
    const known = this.get(place);
    if (known) this.#save(place, 'DELETED', known);
  }

  replace(place: ResourcePath, body: Fields): ApiResponse {
    const known = this.get(place);
    if (!known) return notFound(place);
    return this.#update(place, known, body);
  }

  patch(place: ResourcePath, body: unknown, contentType: string): ApiResponse {
    const known = this.get(place);
    const apply = contentType.startsWith('application/apply-patch');
    if (!known) return apply ? this.create(place, fieldsOf(body)) : notFound(place);
    const next = contentType.startsWith('application/json-patch')
      ? withJsonPatch(known, body)
      : fieldsOf(applyMergePatch(known, body));
    const meta = fieldsOf(fieldsOf(body).metadata);
    const expected = meta.resourceVersion ?? known.metadata.resourceVersion;
    return this.#update(place, known, { ...next, metadata: { ...fieldsOf(next.metadata), resourceVersion: expected } });
  }

  delete(place: ResourcePath, preconditions: { uid?: string; resourceVersion?: string } = {}): ApiResponse {
    const known = this.get(place);
    if (!known) return notFound(place);
    const { uid, resourceVersion } = preconditions;
    if (uid !== undefined && uid !== known.metadata.uid) return failureResponse(409, 'Conflict', 'the uid differs');
    if (resourceVersion !== undefined && resourceVersion !== known.metadata.resourceVersion)
      return failureResponse(409, 'Conflict', 'the resourceVersion differs');
    if (known.metadata.finalizers?.length) {
      if (this.#strict && known.metadata.deletionTimestamp !== undefined) return { code: 200, body: known };
      const generation = (known.metadata.generation ?? 1) + (this.#strict ? 1 : 0);
      const metadata = { ...known.metadata, generation, deletionTimestamp: this.#now().toISOString() };
      return { code: 200, body: this.#save(place, 'MODIFIED', { ...known, metadata }) };
    }
    this.#save(place, 'DELETED', known);
    return { code: 200, body: { kind: 'Status', status: 'Success' } };
  }

  #update(place: ResourcePath, known: StoredObject, wished: Fields): ApiResponse {
    const meta = fieldsOf(wished.metadata);
    if (meta.uid !== undefined && meta.uid !== known.metadata.uid)
      return failureResponse(409, 'Conflict', 'the uid differs');
    if (meta.resourceVersion !== undefined && meta.resourceVersion !== known.metadata.resourceVersion)
      return failureResponse(409, 'Conflict', 'the object has been modified');
    const next = this.#strict ? updatedStrictly(place, known, wished) : updatedLoosely(place, known, wished);
    if (next === undefined)
      return failureResponse(422, 'Invalid', 'no new finalizers can be added if the object is being deleted');
    if (this.#strict && isSameJson(next, known)) return { code: 200, body: known };
    const respec = !isSameJson(next.spec, known.spec);
    next.metadata = { ...next.metadata, generation: (known.metadata.generation ?? 1) + (respec ? 1 : 0) };
    const gone = next.metadata.deletionTimestamp !== undefined && !next.metadata.finalizers?.length;
    return { code: 200, body: this.#save(place, gone ? 'DELETED' : 'MODIFIED', next) };
  }

  #save(place: ResourcePath, type: StoreEvent['type'], object: StoredObject): StoredObject {
    this.version += 1;
    const numbered = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
    const saved = this.#strict ? (sortedAndFrozen(numbered) as StoredObject) : structuredClone(numbered);
    const objects = this.objectsOf(place);
    const key = keyOf(saved.metadata.namespace, saved.metadata.name);
    const before = objects.get(key);
    if (type === 'DELETED') objects.delete(key);
    else objects.set(key, saved);
    const happened: StoreEvent = { version: this.version, type, object: saved, previous: before };
    const history = this.#history.get(place.collection) ?? [];
    this.#history.set(place.collection, history);
    history.push(happened);
    for (const listener of this.#listeners) listener(place.collection, happened);
    return saved;
  }
}

const identity = ({ metadata: { name, namespace, uid, resourceVersion } }: StoredObject) => ({
  name,
  namespace,
  uid,
  resourceVersion,
});

const updatedLoosely = (place: ResourcePath, known: StoredObject, wished: Fields): StoredObject =>
  place.subresource === 'status'
    ? { ...known, status: wished.status }
    : { ...wished, metadata: { ...fieldsOf(wished.metadata), ...identity(known) } };

/** A status is written through its own door and through no other; undefined: refused. */
function updatedStrictly(place: ResourcePath, known: StoredObject, wished: Fields): StoredObject | undefined {
  if (place.subresource === 'status') return { ...known, status: wished.status };
  const { creationTimestamp, deletionTimestamp, generation, finalizers: held = [] } = known.metadata;
  const metadata: StoredObject['metadata'] = {
    ...fieldsOf(wished.metadata),
    ...identity(known),
    creationTimestamp,
    deletionTimestamp,
    generation,
  };
  const added = metadata.finalizers?.some(each => !held.includes(each)) ?? false;
  if (deletionTimestamp !== undefined && added) return undefined;
  return { ...wished, metadata, status: known.status };
}

/** `add`, `replace`, `remove` and `test` of fields, which is all that the operator sends. */
function withJsonPatch(known: StoredObject, body: unknown): Fields {
  const next: Fields = structuredClone({ ...known });
  for (const step of Array.isArray(body) ? body.map(fieldsOf) : []) {
    const names = String(step.path)
      .split('/')
      .slice(1)
      .map(name => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = names.pop() ?? '';
    let parent = next;
    for (const name of names) {
      const child = fieldsOf(parent[name]);
      parent[name] = child;
      parent = child;
    }
    if (step.op === 'remove') delete parent[last];
    else if (step.op !== 'test') parent[last] = step.value;
  }
  return next;
}
