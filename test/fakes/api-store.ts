/** What a small API server remembers: objects with versions, and what happened to them since. */
import { randomUUID } from 'node:crypto';
import { merged } from '../../kube/merge.js';

export interface Obj {
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

export type Verdict = { code: number; body: unknown };
export interface Happened {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: Obj;
}

/** Where a request points: `collection` is group/version/plural. */
export interface Place {
  collection: string;
  namespace?: string;
  name?: string;
  subresource?: string;
}

export const refusal = (code: number, reason: string, message: string, details: object = {}): Verdict => ({
  code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details },
});

const notFound = (place: Place) => refusal(404, 'NotFound', `${place.collection} ${place.name} not found`);
const keyOf = (namespace: string | undefined, name: string) => `${namespace ?? ''}/${name}`;

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? { ...value } : {});

export class ApiStore {
  version = 1000;
  /** Watches may not begin before this. */
  oldest = 0;
  readonly #objects = new Map<string, Map<string, Obj>>();
  readonly #history = new Map<string, Happened[]>();
  readonly #listeners = new Set<(collection: string, happened: Happened) => void>();

  of(place: Place): Map<string, Obj> {
    const found = this.#objects.get(place.collection) ?? new Map<string, Obj>();
    this.#objects.set(place.collection, found);
    return found;
  }

  history(collection: string): Happened[] {
    return this.#history.get(collection) ?? [];
  }

  onHappened(listener: (collection: string, happened: Happened) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets what happened up to now: watches from before are told 410. */
  compact(): void {
    this.version += 1;
    this.oldest = this.version;
  }

  all(place: Place): Obj[] {
    return [...this.of(place).values()].filter(
      object => place.namespace === undefined || object.metadata.namespace === place.namespace,
    );
  }

  get(place: Place): Obj | undefined {
    return this.of(place).get(keyOf(place.namespace, place.name ?? ''));
  }

  create(place: Place, body: Fields): Verdict {
    const meta = fieldsOf(body.metadata);
    const generated = `${String(meta.generateName)}${randomUUID().slice(0, 5)}`;
    const name = typeof meta.name === 'string' ? meta.name : generated;
    if (this.get({ ...place, name }))
      return refusal(409, 'AlreadyExists', `${place.collection} ${name} already exists`);
    const metadata = {
      ...meta,
      name,
      namespace: place.namespace,
      uid: randomUUID(),
      resourceVersion: '',
      generation: 1,
      creationTimestamp: new Date().toISOString(),
    };
    return { code: 201, body: this.#save(place, 'ADDED', { ...body, metadata }) };
  }

  replace(place: Place, body: Fields): Verdict {
    const known = this.get(place);
    if (!known) return notFound(place);
    return this.#update(place, known, body);
  }

  patch(place: Place, body: unknown, contentType: string): Verdict {
    const known = this.get(place);
    const apply = contentType.startsWith('application/apply-patch');
    if (!known) return apply ? this.create(place, fieldsOf(body)) : notFound(place);
    const next = contentType.startsWith('application/json-patch')
      ? jsonPatched(known, body)
      : fieldsOf(merged(known, body));
    const meta = fieldsOf(fieldsOf(body).metadata);
    const expected = meta.resourceVersion ?? known.metadata.resourceVersion;
    return this.#update(place, known, { ...next, metadata: { ...fieldsOf(next.metadata), resourceVersion: expected } });
  }

  delete(place: Place, preconditions: { uid?: string; resourceVersion?: string } = {}): Verdict {
    const known = this.get(place);
    if (!known) return notFound(place);
    const { uid, resourceVersion } = preconditions;
    if (uid !== undefined && uid !== known.metadata.uid) return refusal(409, 'Conflict', 'the uid differs');
    if (resourceVersion !== undefined && resourceVersion !== known.metadata.resourceVersion)
      return refusal(409, 'Conflict', 'the resourceVersion differs');
    if (known.metadata.finalizers?.length) {
      const metadata = { ...known.metadata, deletionTimestamp: new Date().toISOString() };
      return { code: 200, body: this.#save(place, 'MODIFIED', { ...known, metadata }) };
    }
    this.#save(place, 'DELETED', known);
    return { code: 200, body: { kind: 'Status', status: 'Success' } };
  }

  #update(place: Place, known: Obj, wished: Fields): Verdict {
    const meta = fieldsOf(wished.metadata);
    if (meta.uid !== undefined && meta.uid !== known.metadata.uid) return refusal(409, 'Conflict', 'the uid differs');
    if (meta.resourceVersion !== undefined && meta.resourceVersion !== known.metadata.resourceVersion)
      return refusal(409, 'Conflict', 'the object has been modified');
    const next: Obj =
      place.subresource === 'status'
        ? { ...known, status: wished.status }
        : { ...wished, metadata: { ...meta, ...identity(known) } };
    const respec = JSON.stringify(next.spec) !== JSON.stringify(known.spec);
    next.metadata = { ...next.metadata, generation: (known.metadata.generation ?? 1) + (respec ? 1 : 0) };
    const gone = next.metadata.deletionTimestamp !== undefined && !next.metadata.finalizers?.length;
    return { code: 200, body: this.#save(place, gone ? 'DELETED' : 'MODIFIED', next) };
  }

  #save(place: Place, type: Happened['type'], object: Obj): Obj {
    this.version += 1;
    const saved = structuredClone({
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.version) },
    });
    const key = keyOf(saved.metadata.namespace, saved.metadata.name);
    if (type === 'DELETED') this.of(place).delete(key);
    else this.of(place).set(key, saved);
    const happened = { version: this.version, type, object: saved };
    this.#history.set(place.collection, [...this.history(place.collection), happened]);
    for (const listener of this.#listeners) listener(place.collection, happened);
    return saved;
  }
}

const identity = ({ metadata: { name, namespace, uid, resourceVersion } }: Obj) => ({
  name,
  namespace,
  uid,
  resourceVersion,
});

/** `add`, `replace`, `remove` and `test` of fields, which is all that the operator sends. */
function jsonPatched(known: Obj, body: unknown): Fields {
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
