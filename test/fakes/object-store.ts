/** The storage of a fake API server, as etcd is for a real one: objects with resource versions, and the history of their changes. */
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
  /** The object before the change; absent when it did not exist. */
  previous?: StoredObject;
}

export interface StoreOptions {
  now?: () => Date;
  /** Called for each new object under this key. */
  uid?: (key: string) => string;
  /** Follows more rules of a real API server: the status is a separate subresource, an update without a change emits no event, objects are immutable. */
  strict?: boolean;
}

/** The path of a request; `collection` is group/version/plural. */
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
  /** Watches that start from an older version get 410. */
  oldestVersion = 0;
  readonly #objects = new Map<string, Map<string, StoredObject>>();
  readonly #history = new Map<string, StoreEvent[]>();
  readonly #listeners = new Set<(collection: string, event: StoreEvent) => void>();
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

  onEvent(listener: (collection: string, event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Drops the history, as an etcd compaction does: watches from an older version get 410. */
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

  /** Creates or overwrites the whole object including its status, which only a test may do. */
  put(place: ResourcePath, desired: Fields): StoredObject {
    const name = String(fieldsOf(desired.metadata).name);
    const known = this.get({ ...place, name });
    const given = {
      uid: known?.metadata.uid ?? this.#uid(`${place.collection} ${keyOf(place.namespace, name)}`),
      generation: known?.metadata.generation ?? 1,
    };
    const metadata = { ...given, ...fieldsOf(desired.metadata) };
    const next: Fields = { ...desired, metadata: { ...metadata, resourceVersion: known?.metadata.resourceVersion } };
    if (known && isSameJson(next, known)) return known;
    return this.#save(place, known ? 'MODIFIED' : 'ADDED', next as StoredObject);
  }

  /** Removes the object at once, even when it has finalizers. */
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

  #update(place: ResourcePath, known: StoredObject, desired: Fields): ApiResponse {
    const meta = fieldsOf(desired.metadata);
    if (meta.uid !== undefined && meta.uid !== known.metadata.uid)
      return failureResponse(409, 'Conflict', 'the uid differs');
    if (meta.resourceVersion !== undefined && meta.resourceVersion !== known.metadata.resourceVersion)
      return failureResponse(409, 'Conflict', 'the object has been modified');
    const next = this.#strict ? updatedStrictly(place, known, desired) : updatedLoosely(place, known, desired);
    if (next === undefined)
      return failureResponse(422, 'Invalid', 'no new finalizers can be added if the object is being deleted');
    if (this.#strict && isSameJson(next, known)) return { code: 200, body: known };
    const specChanged = !isSameJson(next.spec, known.spec);
    next.metadata = { ...next.metadata, generation: (known.metadata.generation ?? 1) + (specChanged ? 1 : 0) };
    const isRemoved = next.metadata.deletionTimestamp !== undefined && !next.metadata.finalizers?.length;
    return { code: 200, body: this.#save(place, isRemoved ? 'DELETED' : 'MODIFIED', next) };
  }

  #save(place: ResourcePath, type: StoreEvent['type'], object: StoredObject): StoredObject {
    this.version += 1;
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
    const saved = this.#strict ? (sortedAndFrozen(versioned) as StoredObject) : structuredClone(versioned);
    const objects = this.objectsOf(place);
    const key = keyOf(saved.metadata.namespace, saved.metadata.name);
    const previous = objects.get(key);
    if (type === 'DELETED') objects.delete(key);
    else objects.set(key, saved);
    const event: StoreEvent = { version: this.version, type, object: saved, previous };
    const history = this.#history.get(place.collection) ?? [];
    this.#history.set(place.collection, history);
    history.push(event);
    for (const listener of this.#listeners) listener(place.collection, event);
    return saved;
  }
}

const identity = ({ metadata: { name, namespace, uid, resourceVersion } }: StoredObject) => ({
  name,
  namespace,
  uid,
  resourceVersion,
});

const updatedLoosely = (place: ResourcePath, known: StoredObject, desired: Fields): StoredObject =>
  place.subresource === 'status'
    ? { ...known, status: desired.status }
    : { ...desired, metadata: { ...fieldsOf(desired.metadata), ...identity(known) } };

/** The status changes only through its subresource, and nothing else does; undefined when the update is invalid. */
function updatedStrictly(place: ResourcePath, known: StoredObject, desired: Fields): StoredObject | undefined {
  if (place.subresource === 'status') return { ...known, status: desired.status };
  const { creationTimestamp, deletionTimestamp, generation, finalizers = [] } = known.metadata;
  const metadata: StoredObject['metadata'] = {
    ...fieldsOf(desired.metadata),
    ...identity(known),
    creationTimestamp,
    deletionTimestamp,
    generation,
  };
  const added = metadata.finalizers?.some(each => !finalizers.includes(each)) ?? false;
  if (deletionTimestamp !== undefined && added) return undefined;
  return { ...desired, metadata, status: known.status };
}

/** Supports `add`, `replace`, `remove` and `test` of fields, the only operations that the operator sends. */
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
