/** An API client over an in-memory store, which assigns resource versions and uids as the API server does. */
import { KubeError, type Cause } from '../../kube/errors.js';
import type {
  DeleteOptions,
  Eviction,
  Kube,
  ListOptions,
  Name,
  Page,
  PatchOptions,
  Resource,
  Stored,
  WatchEvent,
} from '../../kube/kube.js';
import { PODS } from '../../kube/resources.js';
import { withSortedKeys } from './sorted-keys.js';
import { ObjectStore, type StoredObject, type ResourcePath, type ApiResponse } from './object-store.js';

/** A recorded write request. */
export interface Write {
  verb: 'create' | 'patch' | 'replace' | 'delete' | 'evict';
  plural: string;
  name: string;
  body?: unknown;
}

const CONTENT = { merge: 'application/merge-patch+json', json: 'application/json-patch+json' };

export const collectionOf = ({ group, version, plural }: Resource): string => `${group}/${version}/${plural}`;

export const pathOf = (resource: Resource, at: Partial<Name> = {}, subresource?: string): ResourcePath => ({
  collection: collectionOf(resource),
  ...at,
  subresource,
});

/** Returns the body of a response, or throws the error that the real client throws. */
export function bodyOrError({ code, body }: ApiResponse): unknown {
  if (code < 300) return withSortedKeys(body);
  const status = body as { message: string; reason: string; details?: { causes?: Cause[] } };
  throw new KubeError(code, status.message, status.reason, status.details);
}

export class FakeKube implements Kube {
  readonly store: ObjectStore;
  readonly writes: Write[] = [];
  /** Called before each write; the function that it returns is called after the write. Both may throw. */
  onWrite: (write: Write) => (() => void) | void = () => undefined;
  onDryRun: (body: object, namespace?: string) => void = () => undefined;

  constructor(store = new ObjectStore()) {
    this.store = store;
  }

  /** Stores an object unchanged, including its uid and status. */
  seed(resource: Resource, object: Stored): void {
    const { name, namespace } = object.metadata;
    this.store.version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.store.version) };
    const kept: StoredObject = { ...object, metadata: { ...metadata } };
    this.store.objectsOf(pathOf(resource)).set(`${namespace ?? ''}/${name}`, kept);
  }

  all<T extends Stored>(resource: Resource): T[] {
    return this.store.all(pathOf(resource)).map(object => withSortedKeys(object) as T);
  }

  async get<T extends Stored>(resource: Resource, at: Name): Promise<T> {
    const found = this.store.get(pathOf(resource, at));
    if (!found) throw new KubeError(404, `${resource.plural} ${at.name} not found`, 'NotFound');
    return withSortedKeys(found) as T;
  }

  async list<T extends Stored>(
    resource: Resource,
    { namespace, reduce = it => it }: ListOptions<T> = {},
  ): Promise<Page<T>> {
    const items = this.all<T>(resource).filter(
      ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
    );
    return { items: items.map(reduce), resourceVersion: String(this.store.version) };
  }

  watch<T extends Stored>(): AsyncIterable<WatchEvent<T>> {
    throw new Error('this fake supports no watches: tests fill the caches themselves');
  }

  create<T extends Stored>(resource: Resource, body: object, namespace?: string): Promise<T> {
    const name = (body as Stored).metadata.name;
    const status = resource === PODS ? { status: { phase: 'Pending' } } : {};
    return this.#write({ verb: 'create', plural: resource.plural, name, body }, () =>
      this.store.create(pathOf(resource, { namespace }), { ...status, ...body }),
    );
  }

  patch<T extends Stored>(resource: Resource, at: Name, body: unknown, options: PatchOptions = {}): Promise<T> {
    const { type = 'merge', subresource } = options;
    if (type !== 'merge' && type !== 'json') throw new Error(`the fake API server does not support ${type} patches`);
    return this.#write({ verb: 'patch', plural: resource.plural, name: at.name, body }, () =>
      this.store.patch(pathOf(resource, at, subresource), body, CONTENT[type]),
    );
  }

  replace<T extends Stored>(resource: Resource, at: Name, body: T, subresource?: 'status'): Promise<T> {
    const fields: object = body;
    return this.#write({ verb: 'replace', plural: resource.plural, name: at.name, body }, () =>
      this.store.replace(pathOf(resource, at, subresource), { ...fields }),
    );
  }

  async delete(resource: Resource, at: Name, options: DeleteOptions = {}): Promise<void> {
    await this.#write({ verb: 'delete', plural: resource.plural, name: at.name, body: options }, () =>
      this.store.delete(pathOf(resource, at), options),
    );
  }

  async evict(at: Name, eviction: Eviction): Promise<void> {
    await this.#write({ verb: 'evict', plural: PODS.plural, name: at.name, body: eviction }, () =>
      this.store.delete(pathOf(PODS, at), { uid: eviction.uid }),
    );
  }

  /** Fails with what `onDryRun` throws, and stores nothing. */
  async dryRun(_resource: Resource, body: object, namespace?: string): Promise<void> {
    this.onDryRun(body, namespace);
  }

  async #write<T extends Stored>(write: Write, perform: () => ApiResponse): Promise<T> {
    this.writes.push(write);
    const afterwards = this.onWrite(write);
    const answer = bodyOrError(perform());
    afterwards?.();
    return answer as T;
  }
}
